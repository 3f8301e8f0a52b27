import ApusCore
import Foundation
import Testing

/// Values of `body` on a backend; its argument holds one input for each array.
private func values(
  on backend: TestBackend, _ inputs: [NDArray], _ body: ([Tensor]) -> [Tensor]
) throws -> [[Double]] {
  let graph = Graph()
  let tensors = inputs.enumerated().map { graph.input("x\($0)", shape: $1.shape, dtype: $1.dtype) }
  let outputs = try graph.trace { _ in body(tensors) }
  return try backend.session().compile(graph, outputs: outputs)(inputs, outputs: outputs.count).map(\.doubles)
}

private func row(_ values: [Float]) -> NDArray { NDArray(values, shape: [1, values.count]) }

extension BackendTests {
  /// Values where a formula that is right on paper loses its digits, on every device.
  @Suite(.serialized) struct NumericsTests {
    /// At 0 ELU's derivative is `alpha`, that of its exponential branch: a constant channel goes on learning.
    @Test(arguments: TestBackend.allCases)
    func gradientOfELUAtZero(_ backend: TestBackend) throws {
      let x = NDArray([-1e-6, 0, 1e-6] as [Float], shape: [3])
      let gradients = try values(on: backend, [x]) { x in
        [elu(x[0]), elu(x[0], alpha: 0.5), selu(x[0])].map {
          x[0].graph.gradients(of: reduceSum($0), with: [x[0]])[0]
        }
      }
      for (actual, expected) in zip(gradients, [[1, 1, 1], [0.5, 0.5, 1], [1.7580993, 1.7580993, 1.0507010]]) {
        for (a, e) in zip(actual, expected) { #expect(abs(a - e) <= 3e-6 * e) }
      }
    }

    @Test(arguments: TestBackend.allCases)
    func smallInputsOfExpm1AndLog1p(_ backend: TestBackend) throws {
      let x: [Float] = [-0.9, -0.3, -1e-2, -1e-4, -1e-6, -1e-7, -1e-8, -1e-30, 1e-30, 1e-8, 1e-7, 1e-3, 0.3, 1, 40, 88]
      let results = try values(on: backend, [NDArray(x, shape: [x.count])]) { [expm1($0[0]), log1p($0[0]), elu($0[0])] }
      for (i, x) in x.map(Double.init).enumerated() {
        let expected = [expm1(x), log1p(x), x > 0 ? x : expm1(x)]
        for (result, e) in zip(results, expected) {
          #expect(abs(result[i] - e) <= 4 * 0x1p-23 * abs(e), "\(result[i]), expected \(e) at \(x)")
        }
      }
    }
  }
}
