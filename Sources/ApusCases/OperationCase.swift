package import ApusCore

/// An operation, or a few that belong together, on inputs of its own: what runs on two devices and is compared.
package struct OperationCase: Sendable, CustomStringConvertible {
  /// Who runs a case beside the tests of operations, which run all.
  package struct Uses: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The self-test of a device: together each kernel, on shapes with remainders at every edge that are quick anywhere.
    package static let selfTest = Uses(rawValue: 1)
    /// Tests without fusion on every device, for which kernels are compiled: what fusion and memory planning change most.
    package static let unfused = Uses(rawValue: 2)
  }

  /// An input's shape and what it is filled with.
  package enum Input: Sendable {
    /// Uniform in a range; gradients are looked at.
    case real([Int], ClosedRange<Float> = -1...1)
    /// Uniform in a range, not differentiated.
    case fixed([Int], ClosedRange<Float> = -1...1)
    /// Whole numbers in 0..<bound.
    case int32([Int], below: Int32)
    case uint8([Int])
  }

  package let name: String
  package let inputs: [Input]
  /// Terms that one element of a result sums up, at most.
  package let terms: Int
  package let uses: Uses
  package let build: @Sendable ([Tensor]) -> Tensor

  package init(
    _ name: String, _ inputs: [Input], sums terms: Int = 1, for uses: Uses = [],
    _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.inputs = inputs
    self.terms = terms
    self.uses = uses
    self.build = build
  }

  /// The same with real inputs in -1...1.
  package init(
    _ name: String, _ shapes: [Int]..., sums terms: Int = 1, for uses: Uses = [],
    _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.init(name, shapes.map { .real($0) }, sums: terms, for: uses, build)
  }

  package var description: String { name }
}

extension OperationCase.Input {
  package var shape: [Int] {
    switch self {
    case .real(let shape, _), .fixed(let shape, _), .int32(let shape, _), .uint8(let shape): shape
    }
  }

  /// Of any type, not differentiated.
  package static func noise(_ type: TensorType) -> Self {
    switch type.dtype {
    case .float32, .float64: .fixed(type.shape)
    case .int32: .int32(type.shape, below: 2)
    case .uint8: .uint8(type.shape)
    }
  }

  package var isDifferentiable: Bool { if case .real = self { true } else { false } }

  /// Values of type `real` where they are real numbers, the same at every call; each stream has others.
  package func array(stream: UInt32, _ real: DType = .float32) -> NDArray {
    var generator = PhiloxGenerator(seed: 7, stream: stream)
    let places = 0..<shape.elementCount
    switch self {
    case .real(_, let range), .fixed(_, let range):
      let span = range.upperBound - range.lowerBound
      let values = places.map { _ in range.lowerBound + span * generator.uniform() }
      return NDArray(values, shape: shape).converted(to: real)
    case .int32(_, let bound):
      return NDArray(places.map { _ in Int32.random(in: 0..<bound, using: &generator) }, shape: shape)
    case .uint8:
      return NDArray(places.map { _ in UInt8.random(in: 0...255, using: &generator) }, shape: shape)
    }
  }
}

extension OperationCase {
  /// What a case computes: its result, the gradient of `sum(result * weights)` by each differentiable input, and the
  /// parameters that it updates.
  package struct Traced {
    package let graph: Graph
    package let outputs: [Tensor]
    /// Values of the graph's inputs, in their order.
    package let values: [NDArray]
    private let parameters: [Parameter]

    fileprivate init(_ graph: Graph, _ outputs: [Tensor], _ values: [NDArray]) {
      self.graph = graph
      self.outputs = outputs
      // What is not one of the case's inputs is the seed and step of random numbers.
      let state = NDArray([11, 5] as [Int32], shape: [2])
      self.values = values + [NDArray](repeating: state, count: graph.inputs.count - values.count)
      parameters = graph.updates.flatMap { graph.nodes[$0].inputs }.compactMap { graph.nodes[$0].parameter }
    }

    /// A function that runs it, every time from the same state, and reads all results.
    package func compiled(on session: any Session, options: CompileOptions = .init()) throws -> () throws -> [NDArray] {
      let executable = try session.compile(graph, outputs: outputs, options: options)
      return {
        for parameter in parameters { try session.write(parameter.initialValue, to: parameter) }
        return try executable(values, outputs: outputs.count) + parameters.map(session.read)
      }
    }
  }

  /// Declares the inputs in `graph`.
  package func declareInputs(in graph: Graph, _ real: DType = .float32) -> [Tensor] {
    inputs.enumerated().map { index, input in
      let dtype: DType =
        switch input {
        case .real, .fixed: real
        case .int32: .int32
        case .uint8: .uint8
        }
      return graph.input("x\(index)", shape: input.shape, dtype: dtype)
    }
  }

  /// Values of the inputs, in their order.
  package func values(_ real: DType = .float32) -> [NDArray] {
    inputs.enumerated().map { $1.array(stream: UInt32($0), real) }
  }

  /// What a result is weighted with before it is summed up and differentiated.
  package static func weights(_ shape: [Int], _ real: DType = .float32) -> NDArray {
    Input.fixed(shape).array(stream: 99, real)
  }

  package func traced(_ real: DType = .float32) throws -> Traced {
    let graph = Graph(mode: .training, seed: 3)
    let outputs = try graph.trace { graph -> [Tensor] in
      let tensors = declareInputs(in: graph, real)
      let result = build(tensors)
      let wanted = zip(tensors, inputs).filter { $0.1.isDifferentiable }.map(\.0)
      guard !wanted.isEmpty, result.dtype.isFloatingPoint else { return [result] }
      let loss = reduceSum(result * graph.constant(Self.weights(result.shape, real)))
      return [result] + graph.gradients(of: loss, with: wanted)
    }
    return Traced(graph, outputs, values(real))
  }

  /// The result, the gradients and the updated parameters on a device.
  package func run(on session: any Session, options: CompileOptions = .init()) throws -> [NDArray] {
    try traced().compiled(on: session, options: options)()
  }

  /// The relative error of each result, and what is wrong, a line for each that is further off than `Numerics` allows.
  package func compare(_ results: [NDArray], with expected: [NDArray]) -> (errors: [Double], flaws: [String]) {
    let gradients = inputs.count(where: \.isDifferentiable)
    let errors = zip(results, expected).map { $0.relativeError(from: $1) }
    let flaws = expected.indices.compactMap { index -> String? in
      let tolerance = Numerics.tolerance(ofSums: terms, expected[index].dtype)
      guard !(errors[index] <= tolerance) else { return nil }
      let what =
        index == 0 ? "result" : index <= gradients ? "gradient \(index - 1)" : "parameter \(index - gradients - 1)"
      return "\(what): relative error \(errors[index].text), at most \(tolerance) is right"
    }
    return (errors, flaws)
  }
}
