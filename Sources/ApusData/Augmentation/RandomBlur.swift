public import ApusCore

/// Smooths by a Gaussian whose deviation is drawn; torchvision's `GaussianBlur`, with its range of deviations.
public struct RandomBlur: Augmentation {
  public static let name = "blur"
  public static let mainKey: String? = "size"
  /// Pixels, odd.
  public var size = 3
  public var leastDeviation = 0.1
  public var mostDeviation = 2.0

  private enum CodingKeys: String, CodingKey {
    case size
    case leastDeviation = "least_deviation"
    case mostDeviation = "most_deviation"
  }

  public init() {}
  public init(size: Int, deviation: ClosedRange<Double> = 0.1...2) {
    (self.size, leastDeviation, mostDeviation) = (size, deviation.lowerBound, deviation.upperBound)
  }

  public var limits: EditLimits { EditLimits(changes: 1, readsNeighbours: true) }
  public var problem: String? {
    guard (1...63).contains(size), size % 2 == 1 else { return "a size of \(size); it must be odd and at most 63" }
    return leastDeviation > 0 && mostDeviation >= leastDeviation && mostDeviation.isFinite
      ? nil : "a deviation of \(leastDeviation) to \(mostDeviation); it must be above 0"
  }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.blur(size: size, deviation: random.uniform(leastDeviation...mostDeviation))
  }
}

/// Sharpens by a factor, of which 0 is smoothed and 1 the picture itself, half of the time; torchvision's
/// `RandomAdjustSharpness`.
public struct RandomSharpness: OccasionalAugmentation {
  public static let name = "sharpness"
  public static let mainKey: String? = "factor"
  public var factor = 2.0
  public var probability = 0.5

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, readsNeighbours: true) }
  public var problem: String? { amountProblem(factor, "a factor") ?? probabilityProblem }

  public func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator) {
    picture.sharpen(factor)
  }
}
