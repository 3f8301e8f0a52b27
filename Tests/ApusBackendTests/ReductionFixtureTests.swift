import ApusCore
import ApusSafetensors
import Foundation
import Testing

/// How far PyTorch's float32 is from float64 in one reduction: made by `Tests/Fixtures/reductions.py`.
private struct ReductionFixture: Decodable {
  let op: String
  let data: String
  let rows: Int
  let channels: Int
  let error: Double

  static let all: [ReductionFixture] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let metadata = try? Safetensors.read(from: folder.appending(path: "Fixtures/reductions.safetensors").path).metadata
    return (metadata ?? [:]).values.compactMap { try? JSONDecoder().decode(Self.self, from: Data($0.utf8)) }
  }()
}

extension BackendTests {
  /// Reductions and batch normalization are at most 20 times as far from float64 as PyTorch's, or roundings of results.
  @Suite(.serialized) struct ReductionFixtureTests {
    @Test(arguments: TestBackend.allCases, [[1, 5], [2, 3], [50, 20], [4096, 3], [50_000, 16], [802_816, 1]])
    func areAsExactAsPyTorch(_ backend: TestBackend, _ shape: [Int]) throws {
      let fixtures = ReductionFixture.all.filter { [$0.rows, $0.channels] == shape }
      #expect(fixtures.count >= 11 * 4)
      let (n, c) = (shape[0], shape[1])
      let weights = (0..<n * c).map { Float(RowData.uniform($0 + 77) - 0.5) }
      let (graph, outputs) = try graph(shape)
      let executable = try backend.session().compile(graph, outputs: outputs)
      for (name, ofData) in Dictionary(grouping: fixtures, by: \.data) {
        let x = try #require(RowData(rawValue: name)).values(n, c)
        let inputs = [x, weights].map { NDArray($0, shape: shape) }
        let results = try executable(inputs, outputs: Self.ops.count).map(\.doubles)
        let truths = truths(x, weights, n, c)
        for fixture in ofData {
          let op = try #require(Self.ops.firstIndex(of: fixture.op))
          let own = Numerics.relativeError(results[op], truths[op].values, of: truths[op].scale)
          let limit = 20 * max(fixture.error, 0x1p-24)
          #expect(own <= limit, "\(fixture.op) of \(name): \(own), PyTorch \(fixture.error)")
        }
      }
    }

    private static let ops = [
      "sum", "sum_of_rows", "sum_of_all", "mean", "variance", "batch_norm", "batch_norm_gradient",
    ]
    private let epsilon = 1e-3

    private func graph(_ shape: [Int]) throws -> (Graph, [Tensor]) {
      let graph = Graph()
      let outputs = try graph.trace { graph in
        let (x, weights) = (graph.input("x", shape: shape), graph.input("weights", shape: shape))
        let (mean, variance) = channelMoments(x)
        let y = pointwise((.input(0) - .input(1)) * .input(2), [x, mean, pow(variance + epsilon, -0.5)])
        return [
          reduceSum(x, axes: [0]), reduceSum(transpose(x), axes: [1]), reduceSum(x), reduceMean(x, axes: [0]), variance,
          y,
        ] + graph.gradients(of: reduceSum(y * weights), with: [x])
      }
      return (graph, outputs)
    }

    /// Values in float64, and the size of those whose terms do not cancel.
    private func truths(_ x: [Float], _ weights: [Float], _ n: Int, _ c: Int) -> [(values: [Double], scale: [Double])] {
      let count = Double(n)
      let sums = columnSums(x, c) { value, _ in value }, magnitudes = columnSums(x, c) { value, _ in abs(value) }
      let mean = sums.map { $0 / count }
      let variance = columnSums(x, c) { value, k in (value - mean[k]) * (value - mean[k]) }.map { $0 / count }
      let factor = variance.map { 1 / ($0 + epsilon).squareRoot() }
      let y = x.indices.map { (Double(x[$0]) - mean[$0 % c]) * factor[$0 % c] }
      var (first, second) = ([Double](repeating: 0, count: c), [Double](repeating: 0, count: c))
      for i in x.indices {
        first[i % c] += Double(weights[i]) / count
        second[i % c] += Double(weights[i]) * y[i] / count
      }
      let gradient = x.indices.map { factor[$0 % c] * (Double(weights[$0]) - first[$0 % c] - y[$0] * second[$0 % c]) }
      return [
        (sums, magnitudes), (sums, magnitudes), ([sums.reduce(0, +)], [magnitudes.reduce(0, +)]),
        (mean, magnitudes.map { $0 / count }), (variance, variance), (y, y), (gradient, gradient),
      ]
    }
  }
}
