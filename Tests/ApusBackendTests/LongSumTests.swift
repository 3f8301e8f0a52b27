import ApusCore
import Foundation
import Testing

extension BackendTests {
  /// The error of a sum of n terms is at most `4e-7 * log2(n)` of the sum of their absolute values, however they lie in
  /// memory.
  @Suite(.serialized) struct LongSumTests {
    private func run(
      _ backend: TestBackend, _ inputs: [NDArray], options: CompileOptions = .init(),
      _ build: ([Tensor]) -> [Tensor]
    ) throws -> [NDArray] {
      let graph = Graph()
      let outputs = try graph.trace { graph in
        build(inputs.enumerated().map { graph.input("x\($0)", shape: $1.shape, dtype: $1.dtype) })
      }
      return try backend.session().compile(graph, outputs: outputs, options: options)(inputs, outputs: outputs.count)
    }

    private func limit(_ n: Int) -> Double { 4e-7 * max(1, log2(Double(n))) }

    /// Rows, columns, groups of both, and what is no view of them.
    @Test(
      arguments: TestBackend.allCases,
      [
        ([1, 3], [0]), ([2, 3], [0]), ([32, 1], [0]), ([33, 64], [0]), ([100, 7], [0]), ([1000, 1], [0]),
        ([4097, 3], [0]), ([65_537, 20], [0]), ([20_000, 130], [0]), ([802_816, 1], [0]), ([4_194_304, 3], [0]),
        ([3, 79], [1]), ([40, 4099], [1]), ([2, 100_003], [1]), ([3_000_001], [0]), ([20, 5000, 33], [1]),
        ([2, 20_000, 9], [1]), ([300, 7, 301], [0, 2]),
      ] as [([Int], [Int])])
    func reductionsKeepTheirDigits(_ backend: TestBackend, _ sum: (shape: [Int], axes: [Int])) throws {
      let (shape, axes) = sum
      let n = axes.reduce(1) { $0 * shape[$1] }
      let kept = shape.indices.filter { !axes.contains($0) }
      for data in [RowData.constant, .positive, .noise] {
        let x = data.values(shape[0], shape.elementCount / shape[0])
        var sums = [Double](repeating: 0, count: shape.elementCount / n)
        var magnitudes = sums
        let strides = shape.rowMajorStrides
        for (index, value) in x.enumerated() {
          let target = kept.reduce(0) { $0 * shape[$1] + index / strides[$1] % shape[$1] }
          sums[target] += Double(value)
          magnitudes[target] += Double(abs(value))
        }
        let results = try run(backend, [NDArray(x, shape: shape)]) {
          [reduceSum($0[0], axes: axes), reduceMean($0[0], axes: axes)]
            + (axes == [0] && shape.count == 2 ? [reshape(channelSum(.input(0) * 3, [$0[0]]), to: [shape[1]])] : [])
        }
        for (result, factor) in zip(results, [1, 1 / Double(n), 3]) {
          for ((value, truth), magnitude) in zip(zip(result.doubles, sums), magnitudes) {
            let error = abs(value / factor - truth) / magnitude
            #expect(error <= limit(n), "\(data): \(value), right is \(truth * factor)")
          }
        }
      }
    }

    /// Sums of rows that share a pass, with products of inputs.
    @Test(arguments: TestBackend.allCases, [[802_816, 2], [30_001, 100], [4096, 1030]])
    func channelSumsKeepTheirDigits(_ backend: TestBackend, _ shape: [Int]) throws {
      let (n, c) = (shape[0], shape[1])
      for (data, other) in [(RowData.constant, RowData.constant), (.positive, .noise)] {
        let (x, y) = (data.values(n, c), other.values(n, c).reversed() as [Float])
        let results = try run(backend, [NDArray(x, shape: shape), NDArray(y, shape: shape)]) {
          [channelSum(.input(0) * .input(1), $0), channelSum(.input(1), $0), channelSum(.input(0) * .input(0), [$0[0]])]
        }
        let terms: [(Double, Double) -> Double] = [{ $0 * $1 }, { $1 }, { a, _ in a * a }]
        for (result, term) in zip(results, terms) {
          var (sums, magnitudes) = ([Double](repeating: 0, count: c), [Double](repeating: 0, count: c))
          for index in x.indices {
            let value = term(Double(x[index]), Double(y[index]))
            sums[index % c] += value
            magnitudes[index % c] += abs(value)
          }
          for k in 0..<c { #expect(abs(result.doubles[k] - sums[k]) <= limit(n) * magnitudes[k]) }
        }
      }
    }

    /// A million classes: the denominator, and the sum of the loss's terms.
    @Test(arguments: TestBackend.allCases, [[2, 300_001], [1, 1_000_000]])
    func softmaxKeepsItsDigits(_ backend: TestBackend, _ shape: [Int]) throws {
      let classes = shape[1]
      let logits = NDArray([Float](repeating: 0.3, count: shape.elementCount), shape: shape)
      let targets = NDArray([Float](repeating: 1e-6, count: shape.elementCount), shape: shape)
      let results = try run(backend, [logits, targets]) { [softmax($0[0]), softmaxCrossEntropy($0[0], labels: $0[1])] }
      let share = 1 / Double(classes), loss = Double(classes) * Double(Float(1e-6)) * log(Double(classes))
      #expect(results[0].doubles.allSatisfy { abs($0 - share) <= limit(classes) * share })
      #expect(results[1].doubles.allSatisfy { abs($0 - loss) <= limit(classes) * loss })
    }

    /// A batch that goes through the graph image by image: its sums are sums of parts.
    @Test(arguments: TestBackend.allCases) func sumsOfTilesKeepTheirDigits(_ backend: TestBackend) throws {
      let shape = [200, 32, 32, 1]
      let n = shape.elementCount
      let images = NDArray([Float](repeating: 0.1, count: n), shape: shape)
      var options = CompileOptions()
      options.batchTileRows = 1
      let results = try run(backend, [images, NDArray([1, 1, 1] as [Float], shape: [1, 1, 1, 3])], options: options) {
        let y = conv2D($0[0], $0[1])
        return [reduceSum(y, axes: [0, 1, 2]), channelSum(.input(0), [y]), reduceMean(y, axes: [0, 1, 2]) * Double(n)]
      }
      let truth = Double(n) * Double(Float(0.1))
      for result in results {
        for value in result.doubles { #expect(abs(value - truth) <= limit(n) * truth, "\(value), right is \(truth)") }
      }
    }

    /// Infinite terms give infinite sums, opposite ones NaN, in whole blocks and in what is left over.
    @Test(arguments: TestBackend.allCases, [[70, 3], [5000, 1], [90_000, 20]])
    func infinitiesStay(_ backend: TestBackend, _ shape: [Int]) throws {
      for place in [0, shape[0] / 2, shape[0] - 1] {
        var x = RowData.noise.values(shape[0], shape[1])
        x[place * shape[1]] = .infinity
        func sums() throws -> [Float] {
          try run(backend, [NDArray(x, shape: shape)]) {
            [reduceSum($0[0], axes: [0]), channelSum(.input(0), [$0[0]]), reduceSum(transpose($0[0]), axes: [1])]
          }.map { $0.values(as: Float.self)[0] }
        }
        #expect(try sums() == [.infinity, .infinity, .infinity])
        x[(shape[0] - 1 - place / 2) * shape[1]] = -.infinity
        if place < shape[0] - 1 { #expect(try sums().allSatisfy(\.isNaN)) }
      }
    }
  }
}
