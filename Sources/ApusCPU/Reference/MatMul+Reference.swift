import ApusCore

extension Invocation<CPUBuffer> {
  /// `y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]`
  func referenceMatMul(_ matMul: MatMul) -> () -> Void {
    let shape = MatMulShape(matMul, a: inputs[0].shape, result: output.shape)
    let (a, b, y) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for batch in 0..<shape.batch {
        for m in 0..<shape.m {
          for n in 0..<shape.n {
            var sum = 0.0
            for k in 0..<shape.k {
              let left = matMul.transposeA ? k * shape.m + m : m * shape.k + k
              let right = matMul.transposeB ? n * shape.k + k : k * shape.n + n
              sum += a[batch * shape.m * shape.k + left] * b[batch * shape.k * shape.n + right]
            }
            y[(batch * shape.m + m) * shape.n + n] = sum
          }
        }
      }
    }
  }
}
