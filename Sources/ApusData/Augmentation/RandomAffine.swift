public import ApusCore

/// Turns by an angle of `-degrees ... degrees`; torchvision's `RandomRotation`, Keras's with `degrees = 360 factor`.
public struct RandomRotation: Augmentation {
  public static let name = "rotate"
  public static let mainKey: String? = "degrees"
  public var degrees = 15.0
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(_ degrees: Double, border: PictureEdit.Border = .constant(0)) {
    (self.degrees, self.border) = (degrees, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }
  public var problem: String? { amountProblem(degrees, "an angle", most: 360) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.rotate(random.around0(degrees), border: border)
  }
}

/// Moves by up to a share of the width and the height; Keras's `RandomTranslation`, torchvision's `translate`.
///
/// Whole pixels, as torchvision's.
public struct RandomTranslation: Augmentation {
  public static let name = "translate"
  public static let mainKey: String? = "share"
  public var share = 0.1
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(_ share: Double, border: PictureEdit.Border = .constant(0)) {
    (self.share, self.border) = (share, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }
  public var problem: String? { amountProblem(share, "a share", most: 1) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let x = random.around0(share * Double(picture.width)).rounded()
    let y = random.around0(share * Double(picture.height)).rounded()
    picture.move(.shift(-x, -y), border: border)
  }
}

/// Enlarges by a factor of `1 - amount ... 1 + amount` around the middle; torchvision's `scale`, Keras's `RandomZoom`.
public struct RandomZoom: AmountAugmentation {
  public static let name = "zoom"
  public static let mostAmount = 0.99
  public var amount = 0.2
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(_ amount: Double, border: PictureEdit.Border = .constant(0)) {
    (self.amount, self.border) = (amount, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.zoom(1 + random.around0(amount), border: border)
  }
}

/// Slants rows, and as often columns, by an angle of `-degrees ... degrees`; torchvision's `shear`, Keras's `RandomShear`.
public struct RandomShear: Augmentation {
  public static let name = "shear"
  public static let mainKey: String? = "degrees"
  public var degrees = 10.0
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(_ degrees: Double, border: PictureEdit.Border = .constant(0)) {
    (self.degrees, self.border) = (degrees, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }
  public var problem: String? { amountProblem(degrees, "an angle", most: 89) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let angle = random.around0(degrees)
    if random.chance(0.5) {
      picture.shear(angle, 0, border: border)
    } else {
      picture.shear(0, angle, border: border)
    }
  }
}

/// Moves the corners inwards by up to `distortion / 2` of the width and the height, half of the time; torchvision's
/// `RandomPerspective`.
public struct RandomPerspective: OccasionalAugmentation {
  public static let name = "perspective"
  public static let mainKey: String? = "distortion"
  public var distortion = 0.5
  public var probability = 0.5
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(_ distortion: Double, probability: Double = 0.5, border: PictureEdit.Border = .constant(0)) {
    (self.distortion, self.probability, self.border) = (distortion, probability, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }
  public var problem: String? {
    amountProblem(distortion, "a distortion", most: 0.99) ?? probabilityProblem
  }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let (right, bottom) = (Double(picture.width - 1), Double(picture.height - 1))
    let corners = [(x: 0.0, y: 0.0), (x: right, y: 0), (x: right, y: bottom), (x: 0, y: bottom)]
    let moved = corners.map { corner in
      (
        x: corner.x + (corner.x == 0 ? 1 : -1) * random.uniform(0...1) * distortion / 2 * right,
        y: corner.y + (corner.y == 0 ? 1 : -1) * random.uniform(0...1) * distortion / 2 * bottom
      )
    }
    // One pixel has no corners.
    if let map = Homography(from: moved, to: corners) { picture.move(map, border: border) }
  }
}

extension PictureEdit {
  /// Turns the picture by `degrees` against the clock.
  public mutating func rotate(_ degrees: Double, border: Border = .constant(0)) {
    let angle = degrees * .pi / 180
    let (c, s) = (Double.cos(angle), Double.sin(angle))
    move(Homography([c, -s, 0, s, c, 0, 0, 0, 1]).around(center), border: border)
  }

  /// Enlarges the picture around its middle.
  public mutating func zoom(_ factor: Double, border: Border = .constant(0)) {
    move(Homography([1 / factor, 0, 0, 0, 1 / factor, 0, 0, 0, 1]).around(center), border: border)
  }

  /// Slants rows by `x` and columns by `y` degrees around the middle, as torchvision's `affine` does.
  public mutating func shear(_ x: Double, _ y: Double, border: Border = .constant(0)) {
    let (a, b) = (Double.tan(x * .pi / 180), Double.tan(y * .pi / 180))
    move(Homography([1 + a * b, a, 0, b, 1, 0, 0, 0, 1]).around(center), border: border)
  }
}

extension Augmentation where Self == RandomRotation {
  public static func rotate(_ degrees: Double) -> RandomRotation { RandomRotation(degrees) }
}

extension Augmentation where Self == RandomTranslation {
  public static func translate(_ share: Double) -> RandomTranslation { RandomTranslation(share) }
}

extension Augmentation where Self == RandomZoom {
  public static func zoom(_ amount: Double) -> RandomZoom { RandomZoom(amount) }
}

extension Augmentation where Self == RandomShear {
  public static func shear(_ degrees: Double) -> RandomShear { RandomShear(degrees) }
}

extension Augmentation where Self == RandomPerspective {
  public static func perspective(_ distortion: Double) -> RandomPerspective { RandomPerspective(distortion) }
}
