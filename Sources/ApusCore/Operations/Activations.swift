/// A function of each element, defined once as an expression; gradients, kernels and fusion follow from it.
///
/// One of one's own is a line in a file of its own:
///
/// ```swift
/// extension Activation {
///   /// `x * tanh(softplus(x))` (Misra, 2019)
///   static let mish = Activation { $0 * .tanh(.softplus($0)) }
/// }
/// let layer = Conv2D(32, kernel: 3, activation: .mish)
/// ```
public struct Activation: Hashable, Sendable {
  private let formula: Expr

  /// - Parameter formula: the result for `x`.
  public init(_ formula: (_ x: Expr) -> Expr) { self.formula = formula(.input(0)) }

  /// The formula applied to `x`.
  public func callAsFunction(_ x: Expr) -> Expr { formula.substituting([x]) }

  /// The function of every element.
  public func callAsFunction(_ x: Tensor) -> Tensor { self == .linear ? x : x.map { self($0) } }
}

extension Activation {
  /// `x`
  public static let linear = Activation { $0 }
  /// `max(x, 0)`
  public static let relu = Activation { .max($0, 0) }
  /// `x > 0 ? x : slope * x`
  public static func leakyReLU(slope: Double = 0.3) -> Activation {
    Activation { .ifGreater($0, 0, then: $0, otherwise: .constant(slope) * $0) }
  }
  /// `x > 0 ? x : alpha * expm1(x)`, its derivative at 0 that of the second branch
  public static func elu(alpha: Double = 1) -> Activation {
    Activation { .ifGreater($0, 0, then: $0, otherwise: .constant(alpha) * .expm1($0)) }
  }
  /// `scale * elu(x, alpha)` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017)
  public static let selu = Activation {
    .constant(1.0507009873554804934193349852946) * Activation.elu(alpha: 1.6732632423543772848170429916717)($0)
  }
  /// `x * (1 + erf(x / sqrt(2))) / 2` (Hendrycks and Gimpel, 2016, exact form)
  public static let gelu = Activation { 0.5 * $0 * (1 + .erf($0 * .constant(0.70710678118654752440))) }
  /// `x * sigmoid(x)`, also known as swish
  public static let silu = Activation { $0 * .sigmoid($0) }
  /// `1 / (1 + exp(-x))`
  public static let sigmoid = Activation { .sigmoid($0) }
  public static let tanh = Activation { .tanh($0) }
  /// `log(1 + exp(x))`
  public static let softplus = Activation { .softplus($0) }
  /// `x * min(max(x + 3, 0), 6) / 6` (Howard et al., 2019)
  public static let hardSwish = Activation { $0 * .min(.max($0 + 3, 0), 6) * .constant(1.0 / 6) }
}

/// `max(x, 0)`
public func relu(_ x: Tensor) -> Tensor { Activation.relu(x) }
/// `x > 0 ? x : slope * x`
public func leakyReLU(_ x: Tensor, slope: Double = 0.3) -> Tensor { Activation.leakyReLU(slope: slope)(x) }
/// `x > 0 ? x : alpha * expm1(x)`, its derivative at 0 that of the second branch
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor { Activation.elu(alpha: alpha)(x) }
/// `scale * elu(x, alpha)`, self-normalising
public func selu(_ x: Tensor) -> Tensor { Activation.selu(x) }
/// `x * (1 + erf(x / sqrt(2))) / 2`
public func gelu(_ x: Tensor) -> Tensor { Activation.gelu(x) }
/// `x * sigmoid(x)`
public func silu(_ x: Tensor) -> Tensor { Activation.silu(x) }
/// `1 / (1 + exp(-x))`
public func sigmoid(_ x: Tensor) -> Tensor { Activation.sigmoid(x) }
/// The hyperbolic tangent of every element.
public func tanh(_ x: Tensor) -> Tensor { Activation.tanh(x) }
/// `log(1 + exp(x))`
public func softplus(_ x: Tensor) -> Tensor { Activation.softplus(x) }
/// `x * min(max(x + 3, 0), 6) / 6`
public func hardSwish(_ x: Tensor) -> Tensor { Activation.hardSwish(x) }
