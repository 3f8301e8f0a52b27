import ApusCore

extension MatMul: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    #if OneDNN
      let shape = MatMulShape(self, a: invocation.inputs[0].shape, result: invocation.output.shape)
      if backend.usesOneDNN, !shape.isLongRow { return try nativeBody(invocation, on: backend) }
    #endif
    return try ownBody(invocation, on: backend)
  }
}

/// Sizes of a product of (stacks of) matrices.
struct MatMulShape {
  let batch: Int, m: Int, n: Int, k: Int

  init(_ matMul: MatMul, a: [Int], result: [Int]) {
    batch = result.dropLast(2).reduce(1, *)
    (m, n) = (result[result.count - 2], result[result.count - 1])
    k = matMul.transposeA ? a[a.count - 2] : a[a.count - 1]
  }

  /// Whether the result is a row or a column of sums so long that the order of their terms matters: oneDNN has no blocks
  /// there.
  var isLongRow: Bool { min(m, n) == 1 && k > Self.longSum }

  /// Terms that a processor with AVX2 may add one after the other in each of its eight lanes.
  static let longSum = 1 << 16
}
