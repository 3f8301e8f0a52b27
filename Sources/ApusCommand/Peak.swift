import Apus
import ApusCore

/// The most that a device can compute, measured, so that a figure can be said as a part of it.
enum Peak {
  /// Float32 GFLOP/s of fused multiply-adds on registers, or `nil` where it cannot be measured.
  ///
  /// A processor is measured on its own, whichever backend runs on it; a GPU by a kernel that does many multiply-adds
  /// for each element that it loads.
  static func gflops(of session: any Session) -> Double? {
    switch session.device.kind {
    case .cpu:
      return Host.peakGflops(threads: session.device.computeUnits)
    case .gpu, .accelerator:
      return try? pointwiseGflops(on: session)
    }
  }

  private static func pointwiseGflops(on session: any Session) throws -> Double {
    // 256 multiply-adds an element outweigh its 8 bytes of traffic on any device; a few million elements fill it.
    let (chain, count, rounds) = (256, 1 << 24, 5)
    let graph = Graph()
    let x = graph.input("x", shape: [count])
    let scalars = [graph.input("factor", shape: [1]), graph.input("term", shape: [1])]
    let sum = (0..<chain).reduce(Expr.input(0)) { sum, _ in .binary(.add, .binary(.multiply, sum, .input(1)), .input(2))
    }
    let plan = try session.compile(graph, outputs: [reduceMax(pointwise(sum, [x] + scalars))])
    for (index, value) in [NDArray(zeros: [count]), NDArray([0.999], shape: [1]), NDArray([0.001], shape: [1])]
      .enumerated()
    {
      try plan.setInput(index, value.converted(to: .float32))
    }
    var best = Double.infinity
    for _ in 0..<rounds {
      let start = ContinuousClock.now
      try plan.run()
      _ = try plan.output(0)
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    return 2 * Double(chain) * Double(count) / best * 1e-9
  }
}
