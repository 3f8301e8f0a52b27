public import ApusCore

/// Chance in training pictures: what a network shall not mind, each picture shows in another way each time.
///
/// An augmentation draws what is done to a picture; a device does it, as part of the training step. What is drawn
/// depends on the seed, the epoch and the picture's number alone: neither the batch size nor where a training was
/// resumed changes it.
///
/// ```swift
/// struct Ghost: Augmentation {
///   var probability = 0.1
///   func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
///     if random.chance(probability) { picture.contrast(0.2) }
///   }
///   var limits: EditLimits { EditLimits(changes: 1) }
/// }
/// try trainer.fit(data, augmentation: [.flip, .crop(4), Ghost()])
/// ```
public protocol Augmentation: Configurable {
  /// With its defaults.
  init()
  /// The property that a number after the name sets, as in `rotate:15`, by the name that it is stored by; `nil`: there is
  /// none.
  static var mainKey: String? { get }
  /// What `apply` adds at most.
  var limits: EditLimits { get }
  /// What is wrong with the augmentation's own numbers; `nil` for nothing.
  var problem: String? { get }
  /// Draws what is done to a picture, and adds it.
  func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator)
  /// Draws what is taken from another picture of the batch; `nil`, the default, for nothing.
  func mix(height: Int, width: Int, random: inout PhiloxGenerator) -> PictureMix?
}

extension Augmentation {
  public static var mainKey: String? { nil }
  public var problem: String? { nil }
  public func mix(height: Int, width: Int, random: inout PhiloxGenerator) -> PictureMix? { nil }
}

/// What an augmentation adds to a picture's edits at most.
public struct EditLimits: Sendable, Hashable {
  /// Moves that follow one another are one edit where they agree on what is outside.
  public enum Moves: Sendable, Hashable {
    /// No pixel shows what is outside.
    case flips
    case outside(PictureEdit.Border)
  }

  /// Bilinear moves before its other edits; `nil` for none.
  public var moves: Moves?
  /// Other edits, those moves that come later or take the nearest pixel among them.
  public var changes: Int
  /// Whether one of these is such a move, `sharpen` or `blur`.
  public var readsNeighbours: Bool
  /// Whether one of these asks for colours: `contrast`, `saturate`, `turnHue`, `grey`, `autocontrast`, `equalize`.
  public var needsColours: Bool
  /// Whether `mix` draws something.
  public var mixes: Bool

  public init(
    moves: Moves? = nil, changes: Int = 0, readsNeighbours: Bool = false, needsColours: Bool = false,
    mixes: Bool = false
  ) {
    (self.moves, self.changes, self.mixes) = (moves, changes, mixes)
    (self.readsNeighbours, self.needsColours) = (readsNeighbours, needsColours)
  }
}

/// What a picture and its target take from another of the batch, the one after it.
///
/// Outside of the box `v + share * (other - v)`, inside of it `other`; and so the loss:
/// `(1 - weight) * loss(target) + weight * loss(other target)`.
public struct PictureMix: Sendable, Hashable {
  public var share: Double
  /// Empty for none.
  public var rows: Range<Int>
  public var columns: Range<Int>
  public var weight: Double

  public init(share: Double, rows: Range<Int> = 0..<0, columns: Range<Int> = 0..<0, weight: Double) {
    (self.share, self.rows, self.columns, self.weight) = (share, rows, columns, weight)
  }
}

extension PhiloxGenerator {
  /// A uniform number of `range`.
  public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(next() >> 11) * 0x1p-53
  }

  /// A uniform number of -x ... x.
  mutating func around0(_ x: Double) -> Double { uniform(-1...1) * x }

  /// Whether something of this probability happens.
  public mutating func chance(_ probability: Double) -> Bool { uniform(0...1) < probability }

  /// A whole number of `range`, each as likely.
  public mutating func whole(_ range: Range<Int>) -> Int {
    range.lowerBound + Int(next().multipliedFullWidth(by: UInt64(range.count)).high)
  }

  /// A number of the Beta distribution of `alpha` and `alpha`: between 0 and 1, around 0.5 for large ones, at the ends
  /// for small ones.
  mutating func beta(_ alpha: Double) -> Double {
    let (a, b) = (gamma(alpha), gamma(alpha))
    return a + b > 0 ? a / (a + b) : Double(whole(0..<2))
  }

  /// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Trans. Math. Softw. 26, 2000.
  private mutating func gamma(_ shape: Double) -> Double {
    let boost = shape < 1 ? Double.pow(1 - uniform(0...1), 1 / shape) : 1
    let d = (shape < 1 ? shape + 1 : shape) - 1 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      // Box and Muller's normal number.
      let x = (-2 * Double.log(1 - uniform(0...1))).squareRoot() * Double.cos(2 * .pi * uniform(0...1))
      let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
      if v > 0, Double.log(1 - uniform(0...1)) < 0.5 * x * x + d - d * v + d * Double.log(v) { return boost * d * v }
    }
  }
}
