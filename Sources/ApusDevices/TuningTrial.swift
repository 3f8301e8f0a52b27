import ApusCore

/// One operation of a step by itself, with what was fused into it, on noise.
struct TuningTrial {
  private let graph = Graph()
  private let result: Tensor
  private let inputs: [NDArray]
  private var options = CompileOptions()
  /// Terms of the sum behind one element of the result.
  private let reductionLength: Double

  init(_ operation: RunProfile.Operation) {
    let (request, output) = (operation.request, operation.request.result)
    reductionLength = max(1, operation.floatingPointOperations / Double(2 * output.count))
    let types =
      request.operands
      + request.epilogueOperands.map { type in
        let shape: [Int] =
          switch EpilogueOperandKind(type, of: output) {
          case .scalar: []
          case .channel: [type.count]
          case .full: output.shape
          }
        return TensorType(shape: shape, dtype: type.dtype)
      }
    var tensors: [Tensor] = []
    var values: [NDArray] = []
    for (number, type) in types.enumerated() {
      tensors.append(graph.input("x\(number)", shape: type.shape, dtype: type.dtype))
      values.append(Self.noise(type.shape, stream: UInt32(number)).converted(to: type.dtype))
    }
    let operands = Array(tensors.prefix(request.operands.count))
    var result = graph.append(request.op, operands, output)
    if let epilogue = request.epilogue {
      result = pointwise(epilogue, [result] + tensors.dropFirst(operands.count))
    }
    self.result = result
    inputs = values
    // All rows at once: tiles of them would be other problems.
    options.batchTileRows = operation.inputs[0].shape.first
  }

  func run(on session: any Session) throws -> NDArray {
    try session.compile(graph, outputs: [result], options: options)(inputs)[0]
  }

  /// What is wrong with the session's result, or with its kernels; `nil` where nothing is.
  ///
  /// The bound is that of the tests: rounding errors of a sum of n terms grow like the root of n.
  ///
  /// - Throws: what leaves the device unusable.
  func flaw(on session: any Session, expected: NDArray) throws -> String? {
    do {
      let error = try run(on: session).relativeDistance(from: expected)
      let bound = 1e-5 * reductionLength.squareRoot()
      return error <= bound ? nil : "wrong result: relative error \(error), at most \(bound) is right"
    } catch let error as BackendError where error.code != .deviceLost {
      return error.message
    }
  }

  private static func noise(_ shape: [Int], stream: UInt32) -> NDArray {
    var random = PhiloxGenerator(seed: 5, stream: stream)
    return NDArray((0..<shape.elementCount).map { _ in 2 * random.uniform() - 1 }, shape: shape)
  }
}
