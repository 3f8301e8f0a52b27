public import ApusCore

/// A piece of a network: a plain struct that holds its parameters and, possibly, other layers.
///
/// ```swift
/// struct Residual: Layer {
///   let first = Conv2D(64, kernel: 3, padding: .same, activation: .relu)
///   let second = Conv2D(64, kernel: 3, padding: .same)
///   func callAsFunction(_ x: Tensor) -> Tensor { relu(x + second(first(x))) }
/// }
/// ```
public protocol Layer {
  /// Appends the layer's operations to the graph of `x` and returns their result.
  func callAsFunction(_ x: Tensor) -> Tensor
}
