import ApusCases
import ApusCore

/// One operation of a step by itself, with what was fused into it, on noise.
struct TuningTrial {
  private let test: OperationCase
  private let traced: OperationCase.Traced
  private var options = CompileOptions()

  init(_ operation: RunProfile.Operation) throws {
    let (request, output) = (operation.request, operation.request.result)
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
    let terms = Int(operation.floatingPointOperations / Double(2 * output.count))
    test = OperationCase(operation.name, types.map { .noise($0) }, sums: terms) { inputs in
      let operands = Array(inputs.prefix(request.operands.count))
      let result = operands[0].graph.append(request.op, operands, output)
      return request.epilogue.map { pointwise($0, [result] + inputs.dropFirst(operands.count)) } ?? result
    }
    traced = try test.traced()
    // All rows at once: tiles of them would be other problems.
    options.batchTileRows = operation.inputs[0].shape.first
  }

  func run(on session: any Session) throws -> [NDArray] { try traced.compiled(on: session, options: options)() }

  /// What is wrong with the session's result, or with its kernels; `nil` where nothing is.
  ///
  /// - Throws: what leaves the device unusable.
  func flaw(on session: any Session, expected: [NDArray]) throws -> String? {
    do {
      return test.compare(try run(on: session), with: expected).flaws.first.map { "wrong \($0)" }
    } catch let error as BackendError where error.code != .deviceLost {
      return error.message
    }
  }
}
