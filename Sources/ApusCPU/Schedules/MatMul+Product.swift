import ApusCore
internal import CThreads
internal import CVector

extension MatMul {
  /// A product with the package's own loops: bands of rows or columns of the result, of which there are more, on all
  /// threads.
  func ownBody(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let shape = MatMulShape(self, a: invocation.inputs[0].shape, result: invocation.output.shape)
    let (a, b, y) = (invocation.inputs[0].floats, invocation.inputs[1].floats, invocation.output.floats)
    let stride = Int(apus_gemm_scratch())
    let scratch = backend.workScratch
    try scratch.reserve(
      stride * Int(apus_thread_count()) * MemoryLayout<Float>.stride, limit: backend.device.memoryBytes)
    let (m, n, k) = (shape.m, shape.n, shape.k)
    let (aRow, aColumn) = transposeA ? (1, m) : (k, 1)
    let (bRow, bColumn) = transposeB ? (1, k) : (n, 1)
    let cutsRows = m >= n
    let bandSize = 64
    let bands = ((cutsRows ? m : n) + bandSize - 1) / bandSize
    let product = parallelLoop(over: shape.batch * bands, minimum: 65536 / (bandSize * k) + 1) { range, part in
      for index in range {
        let (batch, first) = (index / bands, index % bands * bandSize)
        let (row, column) = cutsRows ? (first, 0) : (0, first)
        apus_gemm(
          Int64(cutsRows ? min(bandSize, m - row) : m), Int64(cutsRows ? n : min(bandSize, n - column)), Int64(k),
          apus_matrix(data: a + batch * m * k + row * aRow, row: Int64(aRow), column: Int64(aColumn)),
          apus_matrix(data: b + batch * k * n + column * bColumn, row: Int64(bRow), column: Int64(bColumn)),
          apus_matrix(data: y + (batch * m + row) * n + column, row: Int64(n), column: 1), 0,
          scratch.floats(part: part, stride: stride))
      }
    }
    let epilogue = try backend.epilogueProgram(invocation)?.loop(over: invocation.output.count)
    return {
      product()
      epilogue?()
    }
  }
}
