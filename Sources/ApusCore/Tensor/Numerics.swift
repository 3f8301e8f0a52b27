/// How near results have to be to the right ones, and what every device does with numbers that are not finite and where a
/// derivative has no one value.
///
/// The rounding errors of a sum of n terms grow like the root of n. A device's result is right when it is off by at most
/// `160 u sqrt(n)`, where `u` is the unit roundoff of its type: `|x - r| / |r| <= 9.54e-6 sqrt(n)` for float32, in the
/// Euclidean norm of a whole array. Integers are exact.
///
/// Values follow PyTorch. Derivatives at a NaN do not throughout: `relu`, `abs` and a maximum over an axis have 0
/// there, and of several NaN in a pooling window the first one takes the gradient.
///
/// - A NaN counts as the greatest number: it is the result of a maximum over an axis or a window, `argMax` gives the
///   first one of its row, and a pooling window's gradient goes to the first one.
/// - Of equal maxima the first one, in row-major order, is `argMax`, and takes a pooling window's gradient.
/// - Activations of NaN are NaN.
/// - Softmax and its logarithm of a row with NaN, with +infinity, or with -infinity alone are NaN throughout the row or
///   where it counts; beside finite logits, -infinity has probability 0 and log-probability -infinity.
/// - Cross entropy with class numbers looks at the label's logit alone: -infinity elsewhere adds nothing. With
///   probabilities each class counts, so that a target of 0 at a logit of -infinity makes the loss NaN; with label
///   smoothing it is +infinity. The gradient is finite in each case.
/// - A class number outside `0..<classes` makes its row's loss and gradient NaN. What reads labels from files or host
///   arrays refuses them before that; a step of one's own, whose labels are plain inputs, sees it in the loss.
/// - At a kink the derivative is the one that frameworks agree on: ReLU and `abs` have 0 at 0, ELU `alpha`.
///
/// Subnormal numbers may be taken for 0.
public enum Numerics {
  /// The largest relative error of a right result of type `type`, each element of which sums up `terms` terms.
  package static func tolerance(ofSums terms: Int, _ type: DType = .float32) -> Double {
    160 * type.unitRoundoff * Double(max(terms, 1)).squareRoot()
  }

  /// `|x - r| / |scale|` in the Euclidean norm, `scale` being `r` where none is given; `|x - r|` where it vanishes. NaN
  /// where one of them holds a NaN.
  package static func relativeError(_ x: [Double], _ r: [Double], of scale: [Double]? = nil) -> Double {
    let distance = zip(x, r).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let length = (scale ?? r).reduce(0) { $0 + $1 * $1 }
    return (length == 0 ? distance : distance / length).squareRoot()
  }

  /// Whether `x` is the maximum instead of `y`, which comes before it.
  @inlinable package static func isGreater<T: BinaryFloatingPoint>(_ x: T, than y: T) -> Bool {
    x > y || x.isNaN && !y.isNaN
  }

  /// Whether `label` is the number of one of `count` classes.
  @inlinable package static func isClass(_ label: Int32, of count: Int) -> Bool { label >= 0 && Int(label) < count }
}

extension DType {
  /// Half the distance from 1 to the next number; 0 for integers.
  package var unitRoundoff: Double {
    switch self {
    case .float32: 0x1p-24
    case .float64: 0x1p-53
    case .int32, .uint8: 0
    }
  }
}

extension NDArray {
  /// `|x - r| / |r|`, see `Numerics.relativeError`; infinite where the shapes differ.
  package func relativeError(from right: NDArray) -> Double {
    shape == right.shape ? Numerics.relativeError(doubles, right.doubles) : .infinity
  }
}

extension Double {
  /// The number as text; what is not a number is `nan` whatever its bits, of which Swift prints a payload.
  package var text: String { isNaN ? "nan" : "\(self)" }
}
