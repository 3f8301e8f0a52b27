import ApusCore
import Testing

extension BackendTests {
  /// Mean, variance and their gradients agree with the two-pass formula in float64, whatever the rows hold.
  @Suite(.serialized) struct ChannelMomentTests {
    private static let shapes = [
      [1, 3], [2, 3], [50, 5], [600, 150], [4096, 2], [20_000, 70], [40_000, 3], [802_816, 1],
    ]

    /// Mean, variance and the gradient of `sum(0.25 * mean + 0.5 * variance)`.
    private func moments(_ shape: [Int], on session: any Session) throws -> any Executable {
      let graph = Graph()
      let outputs = try graph.trace { graph in
        let x = graph.input("x", shape: shape)
        let (mean, variance) = channelMoments(x)
        let loss = reduceSum(mean * 0.25 + variance * 0.5)
        return [mean, variance] + graph.gradients(of: loss, with: [x])
      }
      return try session.compile(graph, outputs: outputs)
    }

    @Test(arguments: TestBackend.allCases, shapes)
    func agreeWithTwoPasses(_ backend: TestBackend, _ shape: [Int]) throws {
      let (n, c) = (shape[0], shape[1])
      let executable = try moments(shape, on: backend.session())
      for data in RowData.allCases {
        let x = data.values(n, c)
        let results = try executable([NDArray(x, shape: shape)], outputs: 3).map(\.doubles)
        let mean = columnSums(x, c) { value, _ in value }.map { $0 / Double(n) }
        let magnitude = columnSums(x, c) { value, _ in abs(value) }.map { $0 / Double(n) }
        let variance = columnSums(x, c) { value, k in (value - mean[k]) * (value - mean[k]) }.map { $0 / Double(n) }
        for k in 0..<c {
          #expect(abs(results[0][k] - mean[k]) <= 1e-5 * magnitude[k], "\(data): mean \(results[0][k]) of \(mean[k])")
          // Equal rows have none.
          let isRight =
            variance[k] == 0 ? results[1][k] == 0 : abs(results[1][k] - variance[k]) <= 1e-5 * variance[k]
          #expect(isRight || isConstant(x, k, c) && results[1][k] == 0, "\(data): \(results[1][k]) of \(variance[k])")
        }
        let gradient = x.indices.map { (0.25 + Double(x[$0]) - mean[$0 % c]) / Double(n) }
        #expect(Numerics.relativeError(results[2], gradient) <= 1e-5, "\(data): gradient")
      }
    }

    /// The mean of many equal values in float64 can be off by a rounding.
    private func isConstant(_ x: [Float], _ channel: Int, _ channels: Int) -> Bool {
      stride(from: channel, to: x.count, by: channels).allSatisfy { x[$0] == x[channel] }
    }

    /// A sample is of the same rows on every device, and at least one row in 16.
    @Test func samplesAreSpreadOverAllRows() {
      for n in [1, 7, 8, 9, 127, 128, 136, 5000, 32767, 32768, 33000, 802_816] {
        let sample = ChannelSums.Sample(of: n)
        let rows = (0..<n).count { $0 % sample.block < sample.rows }
        #expect(sample.size(of: n) == rows)
        #expect(rows * 16 >= n)
      }
    }
  }
}
