import ApusCore

extension Invocation<CPUBuffer> {
  func referenceConvolution(_ convolution: Convolution) -> () -> Void {
    let shape = ConvolutionShape(convolution, operands: inputs.map(\.type), result: output.type)
    return switch convolution.pass {
    case .forward: forward(shape)
    case .inputGradient: inputGradient(shape)
    case .filterGradient: filterGradient(shape)
    }
  }

  /// `y[n,p,q,k] = sum over r,s,c of x[n, p*stride + r*dilation - top, q*stride + s*dilation - left, c] * f[r,s,c,k]`
  private func forward(_ shape: ConvolutionShape) -> () -> Void {
    let (x, f, y) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for n in 0..<shape.n {
        for p in 0..<shape.p {
          for q in 0..<shape.q {
            for k in 0..<shape.k {
              let firstChannel = k / shape.groupK * shape.groupC
              var sum = 0.0
              shape.forEachTap(p: p, q: q) { r, s, h, w in
                for c in 0..<shape.groupC {
                  sum +=
                    x[((n * shape.h + h) * shape.w + w) * shape.c + firstChannel + c]
                    * f[((r * shape.s + s) * shape.groupC + c) * shape.k + k]
                }
              }
              y[((n * shape.p + p) * shape.q + q) * shape.k + k] = sum
            }
          }
        }
      }
    }
  }

  /// `dx[n,h,w,c] = sum over (p,q,r,s) that read (h,w) in the forward pass, and over k, of dy[n,p,q,k] * f[r,s,c,k]`
  private func inputGradient(_ shape: ConvolutionShape) -> () -> Void {
    let (dy, f, dx) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for n in 0..<shape.n {
        for h in 0..<shape.h {
          for w in 0..<shape.w {
            for c in 0..<shape.c {
              let firstFilter = c / shape.groupC * shape.groupK
              var sum = 0.0
              shape.forEachReader(h: h, w: w) { r, s, p, q in
                for k in firstFilter..<(firstFilter + shape.groupK) {
                  sum +=
                    dy[((n * shape.p + p) * shape.q + q) * shape.k + k]
                    * f[((r * shape.s + s) * shape.groupC + c % shape.groupC) * shape.k + k]
                }
              }
              dx[((n * shape.h + h) * shape.w + w) * shape.c + c] = sum
            }
          }
        }
      }
    }
  }

  /// `df[r,s,c,k] = sum over n,p,q of x[n, p*stride + r*dilation - top, q*stride + s*dilation - left, c] * dy[n,p,q,k]`
  private func filterGradient(_ shape: ConvolutionShape) -> () -> Void {
    let (x, dy, df) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      // Doubles to the end: millions of products meet in one element.
      var sums = [Double](repeating: 0, count: shape.r * shape.s * shape.groupC * shape.k)
      for n in 0..<shape.n {
        for p in 0..<shape.p {
          for q in 0..<shape.q {
            shape.forEachTap(p: p, q: q) { r, s, h, w in
              for c in 0..<shape.groupC {
                for k in 0..<shape.k {
                  let channel = k / shape.groupK * shape.groupC + c
                  sums[((r * shape.s + s) * shape.groupC + c) * shape.k + k] +=
                    x[((n * shape.h + h) * shape.w + w) * shape.c + channel]
                    * dy[((n * shape.p + p) * shape.q + q) * shape.k + k]
                }
              }
            }
          }
        }
      }
      for (index, sum) in sums.enumerated() { df[index] = sum }
    }
  }
}

extension ConvolutionShape {
  /// Calls `body(r, s, h, w)` for each filter cell whose image cell (h, w) under the window at (p, q) exists.
  func forEachTap(p: Int, q: Int, _ body: (Int, Int, Int, Int) -> Void) {
    for r in 0..<r {
      let row = p * window.strideY + r * window.dilationY - window.top
      guard row >= 0, row < h else { continue }
      for s in 0..<s {
        let column = q * window.strideX + s * window.dilationX - window.left
        if column >= 0, column < w { body(r, s, row, column) }
      }
    }
  }

  /// Calls `body(r, s, p, q)` for each window (p, q) that reads image cell (h, w) through filter cell (r, s).
  func forEachReader(h: Int, w: Int, _ body: (Int, Int, Int, Int) -> Void) {
    for r in 0..<r {
      let y = h + window.top - r * window.dilationY
      guard y >= 0, y % window.strideY == 0, y / window.strideY < p else { continue }
      for s in 0..<s {
        let x = w + window.left - s * window.dilationX
        if x >= 0, x % window.strideX == 0, x / window.strideX < q {
          body(r, s, y / window.strideY, x / window.strideX)
        }
      }
    }
  }
}
