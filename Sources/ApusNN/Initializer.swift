public import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How a parameter's first value is drawn. `fanIn` and `fanOut` are the inputs and outputs of one unit.
///
/// The numbers derive from the seed and the parameter's name, so neither the order of layers nor their number changes
/// those of another layer. Scales and defaults are Keras's.
public enum Initializer: Hashable, Sendable {
  /// Uniform in `+-sqrt(6 / (fanIn + fanOut))` (Glorot and Bengio, 2010).
  case glorotUniform
  /// Normal of variance `2 / (fanIn + fanOut)`, cut off at two standard deviations.
  case glorotNormal
  /// Uniform in `+-sqrt(6 / fanIn)` (He et al., 2015).
  case heUniform
  /// Normal of variance `2 / fanIn`, cut off at two standard deviations.
  case heNormal
  case zeros
  case ones
  case constant(Double)
  /// Uniform in `+-limit`.
  case uniform(limit: Double)

  /// The values of parameter `name`, float32.
  ///
  /// ```swift
  /// Initializer.glorotUniform(shape: [3, 3, 32, 64], fanIn: 288, fanOut: 576, seed: 1, name: "conv2d_1.kernel")
  /// ```
  public func callAsFunction(shape: [Int], fanIn: Int, fanOut: Int, seed: UInt64, name: String) -> NDArray {
    var generator = PhiloxGenerator(seed: seed, stream: stableHash(name))
    let (i, o) = (Double(max(fanIn, 1)), Double(max(fanOut, 1)))
    switch self {
    case .zeros: return NDArray(zeros: shape)
    case .ones: return Self.filled(1, shape)
    case .constant(let value): return Self.filled(value, shape)
    case .uniform(let limit): return Self.uniform(limit, shape, &generator)
    case .glorotUniform: return Self.uniform((6 / (i + o)).squareRoot(), shape, &generator)
    case .heUniform: return Self.uniform((6 / i).squareRoot(), shape, &generator)
    case .glorotNormal: return Self.truncatedNormal(variance: 2 / (i + o), shape, &generator)
    case .heNormal: return Self.truncatedNormal(variance: 2 / i, shape, &generator)
    }
  }

  private static func filled(_ value: Double, _ shape: [Int]) -> NDArray {
    NDArray(shape: shape) { (values: UnsafeMutableBufferPointer<Float>) in values.update(repeating: Float(value)) }
  }

  private static func uniform(_ limit: Double, _ shape: [Int], _ generator: inout PhiloxGenerator) -> NDArray {
    let bound = Float(limit)
    return NDArray(shape: shape) { (values: UnsafeMutableBufferPointer<Float>) in
      for i in values.indices { values[i] = (2 * generator.uniform() - 1) * bound }
    }
  }

  private static func truncatedNormal(
    variance: Double, _ shape: [Int], _ generator: inout PhiloxGenerator
  ) -> NDArray {
    // Cutting at two standard deviations leaves this share of the standard deviation.
    let scale = variance.squareRoot() / 0.87962566103423978
    return NDArray(shape: shape) { (values: UnsafeMutableBufferPointer<Float>) in
      for i in values.indices { values[i] = Float(generator.truncatedNormal() * scale) }
    }
  }
}

extension PhiloxGenerator {
  /// A standard normal number within +-2 (Box and Muller's formula, drawn again when outside).
  fileprivate mutating func truncatedNormal() -> Double {
    while true {
      let radius = (-2 * log(1 - Double(uniform()))).squareRoot()
      let value = radius * cos(2 * Double.pi * Double(uniform()))
      if abs(value) <= 2 { return value }
    }
  }
}

/// The FNV-1a hash of the text: the same in every run and on every machine.
package func stableHash(_ text: String) -> UInt32 {
  text.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
}

extension Graph {
  /// The tensor of a layer's parameter, which is given its shape and first value if it has none yet.
  func weight(
    _ parameter: Parameter, shape: [Int], _ initializer: Initializer, fanIn: Int, fanOut: Int
  ) -> Tensor {
    // Checked before the values are made on the host.
    let limit = 1 << 32
    guard let count = shape.checkedElementCount, count <= limit else {
      return fail(
        "the parameter \(parameter.name) would be \(shape.shapeDescription), more than \(limit) numbers; "
          + "make the layer or its input smaller")
    }
    do {
      if !parameter.isInitialized { try HostMemory.require(shape, .float32, for: "the parameter \(parameter.name)") }
    } catch {
      return fail("\(error)")
    }
    parameter.initialize {
      initializer(shape: shape, fanIn: fanIn, fanOut: fanOut, seed: seed, name: parameter.name)
    }
    guard parameter.shape == shape else {
      return fail(
        "the parameter \(parameter.name) is \(parameter.shape.shapeDescription), this input needs "
          + "\(shape.shapeDescription); a layer keeps the sizes that it had at its first call")
    }
    return self.parameter(parameter)
  }
}
