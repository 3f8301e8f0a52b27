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

/// Sizes of a product of (stacks of) matrices.
struct MatMulShape {
  let batch: Int, m: Int, n: Int, k: Int

  init(_ matMul: MatMul, a: [Int], result: [Int]) {
    batch = result.dropLast(2).reduce(1, *)
    (m, n) = (result[result.count - 2], result[result.count - 1])
    k = matMul.transposeA ? a[a.count - 2] : a[a.count - 1]
  }
}
