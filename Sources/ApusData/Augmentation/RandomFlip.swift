public import ApusCore

/// Left for right, half of the time; Keras's `RandomFlip("horizontal")`, torchvision's `RandomHorizontalFlip`.
public struct RandomFlip: OccasionalAugmentation {
  public static let name = "flip"
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(moves: .flips) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.flipHorizontally()
  }
}

/// Top for bottom, half of the time; Keras's `RandomFlip("vertical")`, torchvision's `RandomVerticalFlip`.
public struct RandomVerticalFlip: OccasionalAugmentation {
  public static let name = "vertical-flip"
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(moves: .flips) }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.flipVertically()
  }
}

extension Augmentation where Self == RandomFlip {
  public static var flip: RandomFlip { RandomFlip() }
}

extension Augmentation where Self == RandomVerticalFlip {
  public static var verticalFlip: RandomVerticalFlip { RandomVerticalFlip() }
}
