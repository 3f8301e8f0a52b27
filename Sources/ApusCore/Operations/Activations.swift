/// The activation functions, each defined once as an expression; gradients, kernels and fusion follow from it.
public enum Activation: Hashable, Sendable {
  /// `x`
  case linear
  /// `max(x, 0)`
  case relu
  /// `x > 0 ? x : slope * x`
  case leakyReLU(slope: Double = 0.3)
  /// `x > 0 ? x : alpha * expm1(x)`, its derivative at 0 that of the second branch
  case elu(alpha: Double = 1)
  /// `scale * elu(x, alpha)` with the constants that keep mean 0 and variance 1 (Klambauer et al., 2017)
  case selu
  /// `x * (1 + erf(x / sqrt(2))) / 2` (Hendrycks and Gimpel, 2016, exact form)
  case gelu
  /// `x * sigmoid(x)`, also known as swish
  case silu
  /// `1 / (1 + exp(-x))`
  case sigmoid
  case tanh
  /// `log(1 + exp(x))`
  case softplus
  /// `x * min(max(x + 3, 0), 6) / 6` (Howard et al., 2019)
  case hardSwish

  /// The formula applied to `x`.
  public func callAsFunction(_ x: Expr) -> Expr {
    switch self {
    case .linear: x
    case .relu: .max(x, 0)
    case .leakyReLU(let slope): .ifGreater(x, 0, then: x, otherwise: .constant(slope) * x)
    case .elu(let alpha): .ifGreater(x, 0, then: x, otherwise: .constant(alpha) * .expm1(x))
    case .selu:
      .constant(1.0507009873554804934193349852946) * Activation.elu(alpha: 1.6732632423543772848170429916717)(x)
    case .gelu: 0.5 * x * (1 + .erf(x * .constant(0.70710678118654752440)))
    case .silu: x * .sigmoid(x)
    case .sigmoid: .sigmoid(x)
    case .tanh: .tanh(x)
    case .softplus: .softplus(x)
    case .hardSwish: x * .min(.max(x + 3, 0), 6) * .constant(1.0 / 6)
    }
  }

  /// The function of every element.
  public func callAsFunction(_ x: Tensor) -> Tensor { self == .linear ? x : x.map { self($0) } }
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
