public import ApusCore

/// Fills a square; DeVries and Taylor, "Improved regularization of convolutional neural networks with Cutout", 2017.
///
/// Its middle is anywhere in the picture, so a part of it may lie outside.
public struct Cutout: Augmentation {
  public static let name = "cutout"
  public static let mainKey: String? = "size"
  /// Pixels of a side.
  public var size = 8
  /// In the picture's units: 0 is black.
  public var value = 0.0

  public init() {}
  public init(size: Int, value: Double = 0) { (self.size, self.value) = (size, value) }

  public var limits: EditLimits { EditLimits(changes: 1) }
  public var problem: String? { size >= 1 ? nil : "a size of \(size); it must be at least 1" }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let top = random.whole(0..<picture.height) - size / 2
    let left = random.whole(0..<picture.width) - size / 2
    picture.erase(rows: top..<(top + size), columns: left..<(left + size), value: value)
  }
}

/// Fills a rectangle of random area and shape, half of the time; torchvision's `RandomErasing`, with its ranges. Zhong et
/// al., "Random erasing data augmentation", 2020.
public struct RandomErasing: OccasionalAugmentation, AreaAugmentation {
  public static let name = "erase"
  public var probability = 0.5
  /// Shares of the picture's area.
  public var leastArea = 0.02
  public var mostArea = 0.33
  /// Height by width, at most; and at least one by it.
  public var ratio = 10.0 / 3
  /// In the picture's units: 0 is black.
  public var value = 0.0

  private enum CodingKeys: String, CodingKey {
    case probability, ratio, value
    case leastArea = "least_area"
    case mostArea = "most_area"
  }

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1) }
  public var problem: String? { areaProblem ?? probabilityProblem }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    for _ in 0..<10 {
      let (height, width) = drawSides(of: picture, &random)
      guard height >= 1, width >= 1, height < picture.height, width < picture.width else { continue }
      let top = random.whole(0..<(picture.height - height + 1))
      let left = random.whole(0..<(picture.width - width + 1))
      picture.erase(rows: top..<(top + height), columns: left..<(left + width), value: value)
      return
    }
  }
}

extension Augmentation where Self == Cutout {
  public static func cutout(_ size: Int) -> Cutout { Cutout(size: size) }
}

extension Augmentation where Self == RandomErasing {
  public static var erase: RandomErasing { RandomErasing() }
}
