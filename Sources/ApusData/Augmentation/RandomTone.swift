public import ApusCore

/// A grey picture of as many channels, one time in ten; torchvision's `RandomGrayscale`.
public struct RandomGrayscale: OccasionalAugmentation {
  public static let name = "grayscale"
  public var probability = 0.1

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.grey()
  }
}

/// The negative, half of the time; torchvision's `RandomInvert`.
public struct RandomInvert: OccasionalAugmentation {
  public static let name = "invert"
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.solarize(0)
  }
}

/// Keeps the first bits of eight, half of the time; torchvision's `RandomPosterize`.
public struct RandomPosterize: OccasionalAugmentation {
  public static let name = "posterize"
  public static let mainKey: String? = "bits"
  public var bits = 4
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }
  public var problem: String? {
    (1...8).contains(bits) ? probabilityProblem : "\(bits) bits; there are 1 to 8"
  }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.posterize(bits: bits)
  }
}

/// The negative of what is at least a share of white, half of the time; torchvision's `RandomSolarize`.
public struct RandomSolarize: OccasionalAugmentation {
  public static let name = "solarize"
  public static let mainKey: String? = "threshold"
  public var threshold = 0.5
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }
  public var problem: String? { amountProblem(threshold, "a threshold", most: 1) ?? probabilityProblem }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.solarize(threshold)
  }
}

/// Spreads each channel from black to white, half of the time; torchvision's `RandomAutocontrast`.
public struct RandomAutocontrast: OccasionalAugmentation {
  public static let name = "autocontrast"
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.autocontrast()
  }
}

/// Makes all levels of a channel as frequent, half of the time; torchvision's `RandomEqualize`.
public struct RandomEqualize: OccasionalAugmentation {
  public static let name = "equalize"
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, needsColours: true) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.equalize()
  }
}

/// `v ^ gamma` with white as 1, where gamma is drawn of `1 / most ... most`, lower and higher as often.
public struct RandomGamma: Augmentation {
  public static let name = "gamma"
  public static let mainKey: String? = "most"
  public var most = 1.5

  public init() {}
  public init(_ most: Double) { self.most = most }

  public var limits: EditLimits { EditLimits(changes: 1) }
  public var problem: String? { most >= 1 && most.isFinite ? nil : "gamma up to \(most); it must be at least 1" }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.gamma(Double.exp(random.around0(Double.log(most))))
  }
}
