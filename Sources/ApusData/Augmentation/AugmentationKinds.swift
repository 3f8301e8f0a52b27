public import ApusCore

/// An augmentation that happens to a picture, or not.
public protocol OccasionalAugmentation: Augmentation {
  /// How often it happens: 0 to 1.
  var probability: Double { get set }
  /// Draws what is done to a picture to which it happens, and adds it.
  func change(_ picture: inout PictureEdit, random: inout PhiloxGenerator)
}

extension OccasionalAugmentation {
  public init(probability: Double) {
    self.init()
    self.probability = probability
  }

  public static var mainKey: String? { "probability" }
  public var problem: String? { probabilityProblem }

  /// What is wrong with the probability; `nil` for nothing.
  public var probabilityProblem: String? {
    (0...1).contains(probability) ? nil : "a probability of \(probability); it must be in 0...1"
  }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    if random.chance(probability) { change(&picture, random: &random) }
  }
}

/// An augmentation whose strength is drawn of a range around its neutral value.
public protocol AmountAugmentation: Augmentation {
  /// Half of the range.
  var amount: Double { get set }
  /// The largest amount.
  static var mostAmount: Double { get }
}

extension AmountAugmentation {
  public init(_ amount: Double) {
    self.init()
    self.amount = amount
  }

  public static var mainKey: String? { "amount" }
  public static var mostAmount: Double { .infinity }
  public var problem: String? { amountProblem(amount, "an amount", most: Self.mostAmount) }
}

/// An augmentation that takes a part of random area and shape.
protocol AreaAugmentation: Augmentation {
  /// Shares of the picture's area.
  var leastArea: Double { get }
  var mostArea: Double { get }
  /// One side of the part by the other, at most; and at least one by it.
  var ratio: Double { get }
}

extension AreaAugmentation {
  /// What is wrong with the area and the shape; `nil` for nothing.
  var areaProblem: String? {
    guard leastArea > 0, leastArea <= mostArea, mostArea <= 1 else {
      return "an area of \(leastArea) to \(mostArea); it must be above 0 and at most 1"
    }
    return ratio >= 1 && ratio.isFinite ? nil : "a ratio of \(ratio); it must be at least 1"
  }

  /// Two sides of a part of `picture`, which may be larger than it, of which the first by the second is drawn.
  func drawSides(of picture: PictureEdit, _ random: inout PhiloxGenerator) -> (Int, Int) {
    let area = Double(picture.height * picture.width) * random.uniform(leastArea...mostArea)
    let shape = Double.exp(random.around0(Double.log(ratio)))
    return (Int((area * shape).squareRoot().rounded()), Int((area / shape).squareRoot().rounded()))
  }
}

/// What is wrong with a number that must be at least 0; `nil` for nothing.
func amountProblem(_ amount: Double, _ name: String, most: Double = .infinity) -> String? {
  amount >= 0 && amount <= most && amount.isFinite
    ? nil : "\(name) is \(amount); it must be at least 0" + (most.isFinite ? " and at most \(most)" : "")
}
