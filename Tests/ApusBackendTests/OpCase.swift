import ApusCore
import Testing

/// One operation to be tested on every backend: forward and gradient against the reference, and the reference's
/// gradient against finite differences in float64. To test a new operation, add a line to `OpCases`.
struct OpCase: Sendable, CustomTestStringConvertible {
  let name: String
  let inputs: [Input]
  /// Terms that one element of the result sums up: errors may grow with its square root.
  let reductionLength: Int
  let build: @Sendable ([Tensor]) -> Tensor

  /// What an input is filled with.
  struct Input: Sendable {
    enum Values: Sendable {
      /// Uniform in a range; gradients are tested.
      case real(ClosedRange<Float>)
      /// Uniform in a range, not differentiated.
      case fixed(ClosedRange<Float>)
      /// Whole numbers in 0..<bound.
      case int32(Int32)
      case uint8
    }
    var shape: [Int]
    var values: Values

    var isDifferentiable: Bool { if case .real = values { true } else { false } }

    func dtype(_ real: DType) -> DType {
      switch values {
      case .real, .fixed: real
      case .int32: .int32
      case .uint8: .uint8
      }
    }

    func array(stream: UInt32, _ real: DType) -> NDArray {
      var generator = PhiloxGenerator(seed: 7, stream: stream)
      let count = shape.elementCount
      switch values {
      case .real(let range), .fixed(let range):
        let span = range.upperBound - range.lowerBound
        let values = (0..<count).map { _ in range.lowerBound + span * generator.uniform() }
        return NDArray(values, shape: shape).converted(to: real)
      case .int32(let bound):
        return NDArray((0..<count).map { _ in Int32.random(in: 0..<bound, using: &generator) }, shape: shape)
      case .uint8:
        return NDArray((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }, shape: shape)
      }
    }
  }

  init(
    _ name: String, _ inputs: [Input], sums reductionLength: Int = 1, _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.inputs = inputs
    self.reductionLength = reductionLength
    self.build = build
  }

  /// The same with float inputs in -1...1.
  init(
    _ name: String, _ shapes: [Int]..., sums reductionLength: Int = 1, _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.init(name, shapes.map { Input(shape: $0, values: .real(-1...1)) }, sums: reductionLength, build)
  }

  var testDescription: String { name }
}

extension OpCase {
  /// The traced case: its result, then the gradient of `sum(result * weights)` by each differentiable input.
  struct Traced {
    let graph: Graph
    let outputs: [Tensor]
    /// Values of the graph's inputs, in their order.
    let values: [NDArray]
  }

  func traced(_ real: DType, gradients: Bool = true) throws -> Traced {
    let graph = Graph(mode: .training, seed: 3)
    var values: [NDArray] = []
    let tensors = inputs.enumerated().map { index, input -> Tensor in
      values.append(input.array(stream: UInt32(index), real))
      return graph.input("x\(index)", shape: input.shape, dtype: input.dtype(real))
    }
    let outputs = try graph.trace { graph -> [Tensor] in
      let result = build(tensors)
      let wanted = zip(tensors, inputs).filter { $0.1.isDifferentiable }.map(\.0)
      guard gradients, !wanted.isEmpty, result.dtype.isFloatingPoint else { return [result] }
      let weights = Input(shape: result.shape, values: .fixed(-1...1)).array(stream: 99, real)
      let loss = reduceSum(result * graph.constant(weights))
      return [result] + graph.gradients(of: loss, with: wanted)
    }
    if graph.inputs.count > values.count { values.append(NDArray([11, 5] as [Int32], shape: [2])) }  // random_state
    return Traced(graph: graph, outputs: outputs, values: values)
  }

  func run(on session: any Session, _ real: DType = .float32, options: CompileOptions = .init()) throws -> [NDArray] {
    let traced = try traced(real)
    let executable = try session.compile(traced.graph, outputs: traced.outputs, options: options)
    return try executable(traced.values, outputs: traced.outputs.count)
  }
}

/// `|a - b| / |b|` in the Euclidean norm; absolute where `b` vanishes.
func relativeError(_ a: NDArray, _ b: NDArray) -> Double {
  guard a.shape == b.shape else { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (x, y) in zip(a.doubles, b.doubles) {
    difference += (x - y) * (x - y)
    norm += y * y
  }
  if difference.isNaN { return .infinity }
  return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}
