public import ApusCore

/// Multiplies by a factor of `1 - amount ... 1 + amount`, at least 0; torchvision's `brightness`. See `RandomLight`.
public struct RandomBrightness: AmountAugmentation {
  public static let name = "brightness"
  public var amount = 0.2

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.scale(random.factor(amount))
  }
}

/// Adds `-amount ... amount` of white; Keras's `RandomBrightness`.
public struct RandomLight: AmountAugmentation {
  public static let name = "light"
  public var amount = 0.2

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.scale(1, offset: random.around0(amount))
  }
}

/// Moves values from or to the mean of the picture's grey by a factor of `1 - amount ... 1 + amount`, at least 0;
/// torchvision's `contrast`.
public struct RandomContrast: AmountAugmentation {
  public static let name = "contrast"
  public var amount = 0.2

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.contrast(random.factor(amount))
  }
}

/// Moves colours from or to their grey by a factor of `1 - amount ... 1 + amount`, at least 0; torchvision's
/// `saturation`.
public struct RandomSaturation: AmountAugmentation {
  public static let name = "saturation"
  public var amount = 0.2

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.saturate(random.factor(amount))
  }
}

/// Turns hues by a share of the circle of `-amount ... amount`; torchvision's `hue`.
public struct RandomHue: AmountAugmentation {
  public static let name = "hue"
  public static let mostAmount = 0.5
  public var amount = 0.05

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.turnHue(random.around0(amount))
  }
}

/// Brightness, contrast, saturation and hue, in an order that is drawn, too; torchvision's `ColorJitter`.
public struct ColorJitter: Augmentation {
  public static let name = "color-jitter"
  public var brightness = 0.2
  public var contrast = 0.2
  public var saturation = 0.2
  public var hue = 0.05

  public init() {}
  public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
    (self.brightness, self.contrast, self.saturation, self.hue) = (brightness, contrast, saturation, hue)
  }

  /// Those that change anything.
  private var parts: [any Augmentation] {
    let all: [(Double, any Augmentation)] = [
      (brightness, RandomBrightness(brightness)), (contrast, RandomContrast(contrast)),
      (saturation, RandomSaturation(saturation)), (hue, RandomHue(hue)),
    ]
    return all.filter { $0.0 != 0 }.map(\.1)
  }

  public var limits: EditLimits {
    EditLimits(changes: parts.count, needsColours: contrast != 0 || saturation != 0 || hue != 0)
  }
  public var problem: String? { parts.compactMap(\.problem).first }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    var parts = parts
    parts.shuffle(using: &random)
    for part in parts { part.apply(to: &picture, random: &random) }
  }
}

extension PhiloxGenerator {
  /// A number of `1 - amount ... 1 + amount`, at least 0.
  fileprivate mutating func factor(_ amount: Double) -> Double { uniform(max(0, 1 - amount)...(1 + amount)) }
}

extension Augmentation where Self == RandomBrightness {
  public static func brightness(_ amount: Double) -> RandomBrightness { RandomBrightness(amount) }
}

extension Augmentation where Self == RandomLight {
  public static func light(_ amount: Double) -> RandomLight { RandomLight(amount) }
}

extension Augmentation where Self == RandomContrast {
  public static func contrast(_ amount: Double) -> RandomContrast { RandomContrast(amount) }
}

extension Augmentation where Self == RandomSaturation {
  public static func saturation(_ amount: Double) -> RandomSaturation { RandomSaturation(amount) }
}

extension Augmentation where Self == RandomHue {
  public static func hue(_ amount: Double) -> RandomHue { RandomHue(amount) }
}

extension Augmentation where Self == ColorJitter {
  public static func colorJitter(
    brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0
  ) -> ColorJitter {
    ColorJitter(brightness: brightness, contrast: contrast, saturation: saturation, hue: hue)
  }
}
