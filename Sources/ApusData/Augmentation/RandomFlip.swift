public import ApusCore

/// Left for right, half of the time; Keras's `RandomFlip("horizontal")`, torchvision's `RandomHorizontalFlip`.
public struct RandomFlip: Augmentation {
  public static let name = "flip"
  public static let mainKey: String? = "probability"
  public var probability = 0.5

  public init() {}
  public init(probability: Double) { self.probability = probability }

  public var limits: EditLimits { EditLimits(moves: .flips) }
  public var problem: String? { probabilityProblem(probability) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    if random.chance(probability) { picture.flipHorizontally() }
  }
}

/// Top for bottom, half of the time; Keras's `RandomFlip("vertical")`, torchvision's `RandomVerticalFlip`.
public struct RandomVerticalFlip: Augmentation {
  public static let name = "vertical-flip"
  public static let mainKey: String? = "probability"
  public var probability = 0.5

  public init() {}
  public init(probability: Double) { self.probability = probability }

  public var limits: EditLimits { EditLimits(moves: .flips) }
  public var problem: String? { probabilityProblem(probability) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    if random.chance(probability) { picture.flipVertically() }
  }
}

extension Augmentation where Self == RandomFlip {
  public static var flip: RandomFlip { RandomFlip() }
}

extension Augmentation where Self == RandomVerticalFlip {
  public static var verticalFlip: RandomVerticalFlip { RandomVerticalFlip() }
}
