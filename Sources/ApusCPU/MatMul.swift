import ApusCore

extension MatMul: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    #if OneDNN
      if backend.usesOneDNN { return try nativeBody(invocation, on: backend) }
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
}
