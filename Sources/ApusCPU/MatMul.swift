#if !OneDNN
import ApusCore
internal import CThreads

extension CPUBackend {
  /// A product with the package's own loops: blocks of rows of the result on all threads.
  func matMul(_ matMul: MatMul, _ invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel.Body {
    let shape = MatMulShape(matMul, a: invocation.inputs[0].shape, result: invocation.output.shape)
    let (a, b, y) = (invocation.inputs[0].floats, invocation.inputs[1].floats, invocation.output.floats)
    let stride = Int(apus_gemm_scratch())
    let scratch = workScratch
    try scratch.reserve(
      stride * Int(apus_thread_count()) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let epilogue = try epilogueProgram(invocation)
    // Blocks of rows that the product's own blocking takes whole.
    let rowsPerBlock = min(shape.m, 64)
    let blocks = (shape.m + rowsPerBlock - 1) / rowsPerBlock
    return parallelLoop(over: shape.batch * blocks) { range, part in
      for index in range {
        let (batch, first) = (index / blocks, index % blocks * rowsPerBlock)
        let rows = min(rowsPerBlock, shape.m - first)
        let left = apus_matrix(
          data: a + batch * shape.m * shape.k + first * (matMul.transposeA ? 1 : shape.k),
          row: Int64(matMul.transposeA ? 1 : shape.k), column: Int64(matMul.transposeA ? shape.m : 1))
        let right = apus_matrix(
          data: b + batch * shape.k * shape.n, row: Int64(matMul.transposeB ? 1 : shape.n),
          column: Int64(matMul.transposeB ? shape.k : 1))
        let start = (batch * shape.m + first) * shape.n
        let target = apus_matrix(data: y + start, row: Int64(shape.n), column: 1)
        apus_gemm(
          Int64(rows), Int64(shape.n), Int64(shape.k), left, right, target, 0,
          scratch.floats(part: part, stride: stride))
        epilogue?.run(start..<(start + rows * shape.n), part: part)
      }
    }
  }
}
#endif
