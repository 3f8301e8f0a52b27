import ApusCore
import ApusNN
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
      let results = try values(on: backend, [NDArray(x, shape: [x.count])]) {
        [expm1($0[0]), log1p($0[0]), elu($0[0])]
      }
      for (i, x) in x.map(Double.init).enumerated() {
        let expected = [expm1(x), log1p(x), x > 0 ? x : expm1(x)]
        for (result, e) in zip(results, expected) {
          #expect(abs(result[i] - e) <= 4 * 0x1p-23 * abs(e), "\(result[i]), expected \(e) at \(x)")
        }
      }
    }

    /// Rows of equal logits, and of logits 1 apart, have the loss of small ones.
    @Test(arguments: TestBackend.allCases)
    func crossEntropyOfLargeLogits(_ backend: TestBackend) throws {
      let large: [Float] = [0, 1e4, 1e6, 1e8, -1e8]
      let logits = NDArray(large.flatMap { [$0, $0] }, shape: [large.count, 2])
      let labels = NDArray(large.map { _ in Int32(0) }, shape: [large.count])
      let halves = NDArray(large.flatMap { _ in [0.5, 0.5] as [Float] }, shape: [large.count, 2])
      let results = try values(on: backend, [logits, labels, halves]) { x in
        [
          softmaxCrossEntropy(x[0], labels: x[1]), softmaxCrossEntropy(x[0], labels: x[1], labelSmoothing: 0.1),
          softmaxCrossEntropy(x[0], labels: x[2]), -logSoftmax(x[0]),
        ]
      }
      for loss in results.joined() { #expect(abs(loss - log(2)) <= 2e-7, "\(loss)") }
      let apart = try values(on: backend, [row([1e6, 1e6 + 1]), NDArray([0] as [Int32], shape: [1])]) {
        [softmaxCrossEntropy($0[0], labels: $0[1]), -logSoftmax($0[0])]
      }
      for loss in [apart[0][0], apart[1][0]] { #expect(abs(loss - 1.3132617) <= 4e-7, "\(loss)") }
    }

    /// The smallest losses are those of confident right answers.
    @Test(arguments: TestBackend.allCases)
    func binaryCrossEntropyOfConfidentAnswers(_ backend: TestBackend) throws {
      let x: [Float] = [-80, -15, -1, 0, 1e-3, 1, 8, 12, 15, 80]
      let cases = x.flatMap { x in [0, 0.25, 1].map { (x: x, target: $0 as Float) } }
      func column(_ values: [Float]) -> NDArray { NDArray(values, shape: [values.count, 1]) }
      let results = try values(on: backend, [column(cases.map(\.x)), column(cases.map(\.target))]) { x in
        let loss = BinaryCrossEntropy()(x[0], x[1])
        return [loss, x[0].graph.gradients(of: reduceSum(loss), with: [x[0]])[0]]
      }
      for (i, (x, target)) in cases.map({ (Double($0.x), Double($0.target)) }).enumerated() {
        let loss = target * (max(-x, 0) + log1p(exp(-abs(x)))) + (1 - target) * (max(x, 0) + log1p(exp(-abs(x))))
        let gradient = (1 - target) / (1 + exp(-x)) - target / (1 + exp(x))
        #expect(abs(results[0][i] - loss) <= 1e-6 * loss, "loss \(results[0][i]) of \(x), \(target): \(loss)")
        #expect(abs(results[1][i] - gradient) <= 1e-6 * max(abs(gradient), target == 0.25 ? 0.25 : 0))
      }
      let confident = try values(on: backend, [column([8, 12, 15]), column([1, 1, 1])]) {
        [BinaryCrossEntropy()($0[0], $0[1])]
      }[0]
      for (loss, right) in zip(confident, [3.3540637e-4, 6.1441935e-6, 3.0590228e-7]) {
        #expect(abs(loss - right) <= 1e-6 * right)
      }
    }

    /// A label that is no class makes its row's loss and gradient NaN, and no other row's.
    @Test(arguments: TestBackend.allCases, [0, 0.1])
    func labelsOutOfRange(_ backend: TestBackend, _ smoothing: Double) throws {
      let logits = NDArray([Float](repeating: 1, count: 4 * 10), shape: [4, 10])
      let labels = NDArray([9, 10, -1, 255] as [Int32], shape: [4])
      let results = try values(on: backend, [logits, labels]) { x in
        let loss = softmaxCrossEntropy(x[0], labels: x[1], labelSmoothing: smoothing)
        return [loss, x[0].graph.gradients(of: reduceSum(loss), with: [x[0]])[0]]
      }
      #expect(results[0].map(\.isNaN) == [false, true, true, true])
      #expect(results[1].map(\.isNaN) == (0..<40).map { $0 >= 10 })
    }

    @Test(arguments: TestBackend.allCases)
    func theFirstNaNIsTheMaximum(_ backend: TestBackend) throws {
      let x = NDArray([1, .nan, 3, 2, 5, 1, .nan, .nan, -.infinity, -.infinity, 0, -0] as [Float], shape: [3, 4])
      let results = try values(on: backend, [x]) { [argMax($0[0]), argMax($0[0], axis: 0)] }
      #expect(results == [[1, 2, 2], [1, 0, 1, 1]])
    }

    /// 0 times the infinite cost of a class that cannot be is NaN, as in PyTorch; class numbers look at theirs alone.
    @Test(arguments: TestBackend.allCases)
    func logitsOfMinusInfinity(_ backend: TestBackend) throws {
      let x = row([1, 2, -.infinity])
      let results = try values(on: backend, [x, row([0, 1, 0]), NDArray([1] as [Int32], shape: [1])]) { x in
        let dense = softmaxCrossEntropy(x[0], labels: x[1])
        let sparse = softmaxCrossEntropy(x[0], labels: x[2])
        return [dense, sparse] + [dense, sparse].map { x[0].graph.gradients(of: reduceSum($0), with: [x[0]])[0] }
      }
      #expect(results[0][0].isNaN)
      #expect(abs(results[1][0] - 0.31326169) <= 1e-6)
      for gradient in results[2...] {
        for (a, e) in zip(gradient, [0.26894142, -0.26894142, 0]) { #expect(abs(a - e) <= 1e-6) }
      }
    }
  }
}
