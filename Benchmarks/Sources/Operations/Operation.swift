package import Apus

/// A bilinear operation `y = f(a, b)`, forward or one of its gradients.
package struct Operation: Sendable {
  package enum Pass: String, CaseIterable, Sendable {
    case forward
    case inputGradient = "input gradient"
    case filterGradient = "filter gradient"
  }

  package var name: String
  /// Shapes of `a` and `b`: images and filter of a convolution, or two matrices.
  package var shapes: (a: [Int], b: [Int])
  /// Floating-point operations, a multiply-add counted as two; the same for all passes.
  package var operations: Double
  package var pass: Pass
  package var forward: @Sendable (Tensor, Tensor) -> Tensor

  /// The result of the pass. The gradients are those of the sum of `y`'s elements: their incoming gradient is all ones,
  /// which the plan computes once and not in every run.
  package func result(of a: Tensor, _ b: Tensor) -> Tensor {
    let y = forward(a, b)
    switch pass {
    case .forward: return y
    case .inputGradient: return a.graph.gradients(of: y, with: [a])[0]
    case .filterGradient: return a.graph.gradients(of: y, with: [b])[0]
    }
  }

  /// Of square images, padded so that a stride of 1 keeps their size.
  package static func convolution(
    batch: Int, size: Int, channels: Int, filters: Int, window: Int, stride: Int = 1, groups: Int = 1,
    passes: [Pass] = Pass.allCases
  ) -> [Operation] {
    var name = "convolution \(window)x\(window) \(size)x\(size)x\(channels) to \(filters)"
    if stride > 1 { name += " stride \(stride)" }
    if groups > 1 { name += groups == channels ? " depthwise" : " groups \(groups)" }
    let filter = [window, window, channels / groups, filters]
    let output = [batch, (size + stride - 1) / stride, (size + stride - 1) / stride]
    return passes.map { pass in
      Operation(
        name: "\(name) batch \(batch) \(pass.rawValue)", shapes: ([batch, size, size, channels], filter),
        operations: 2 * (output + filter).map(Double.init).reduce(1, *), pass: pass
      ) { x, filter in conv2D(x, filter, stride: (stride, stride), padding: .same, groups: groups) }
    }
  }

  /// Of a matrix [m, k] and a matrix [k, n].
  package static func product(
    _ name: String, _ m: Int, _ k: Int, _ n: Int, passes: [Pass] = Pass.allCases
  ) -> [Operation] {
    passes.map { pass in
      Operation(
        name: "\(name) \(m)x\(k) by \(k)x\(n) \(pass.rawValue)", shapes: ([m, k], [k, n]),
        operations: 2 * Double(m) * Double(k) * Double(n), pass: pass
      ) { a, b in matMul(a, b) }
    }
  }
}
