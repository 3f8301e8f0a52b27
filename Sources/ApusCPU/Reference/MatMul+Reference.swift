import ApusCore

extension MatMul {
  /// `y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]`
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let shape = MatMulShape(self, a: invocation.inputs[0].shape, result: invocation.output.shape)
    let (a, b, y) = (Elements(invocation.inputs[0]), Elements(invocation.inputs[1]), Elements(invocation.output))
    return {
      for batch in 0..<shape.batch {
        for m in 0..<shape.m {
          for n in 0..<shape.n {
            var sum = 0.0
            for k in 0..<shape.k {
              let left = transposeA ? k * shape.m + m : m * shape.k + k
              let right = transposeB ? n * shape.k + k : k * shape.n + n
              sum += a[batch * shape.m * shape.k + left] * b[batch * shape.k * shape.n + right]
            }
            y[(batch * shape.m + m) * shape.n + n] = sum
          }
        }
      }
    }
  }
}
