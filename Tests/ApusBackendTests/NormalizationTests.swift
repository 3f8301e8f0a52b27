import ApusCore
import Foundation
import Testing

extension BackendTests {
  /// Normalisation where formulas that are right on paper lose digits: means far from 0, long sums, what is not finite.
  @Suite(.serialized) struct NormalizationTests {
    /// Result, then the gradients of `sum(result * dy)` by x, gamma and beta.
    private func run(
      _ backend: TestBackend?, _ x: NDArray, _ dy: NDArray, samples: Int, groups: Int, gamma: Float = 1
    ) throws -> [[Double]] {
      let graph = Graph()
      let channels = x.shape.last!
      let outputs = try graph.trace { graph -> [Tensor] in
        let x = graph.input("x", shape: x.shape), dy = graph.input("dy", shape: dy.shape)
        let gamma = graph.input("gamma", shape: [channels]), beta = graph.input("beta", shape: [channels])
        let y = normalize(x, gamma: gamma, beta: beta, sampleAxes: samples, groups: groups, epsilon: 1e-3)
        return [y] + graph.gradients(of: y * dy, with: [x, gamma, beta])
      }
      let session = try backend?.session() ?? TestBackend.reference()
      let parameters = [gamma, 0.5].map { NDArray([Float](repeating: $0, count: channels), shape: [channels]) }
      return try session.compile(graph, outputs: outputs)([x, dy] + parameters, outputs: 4).map(\.doubles)
    }

    /// Shape, sample axes, groups: rows and positions, short and long.
    static let shapes: [([Int], Int, Int)] = [
      ([40, 33], 1, 1), ([3, 5000], 1, 1), ([2, 20, 20, 6], 1, 2), ([2, 70, 70, 5], 1, 5), ([2, 3, 4, 160], 1, 4),
    ]

    @Test(arguments: TestBackend.allCases, shapes)
    func groupsFarFromZeroKeepTheirDigits(_ backend: TestBackend, _ test: ([Int], Int, Int)) throws {
      let (shape, samples, groups) = test
      let count = shape.elementCount
      var generator = PhiloxGenerator(seed: 5, stream: 1)
      // The first half of the positions is somewhere else.
      let x = (0..<count).map { ($0 % (count / shape[0]) < count / shape[0] / 2 ? 1000 : 1004) + generator.uniform() }
      let dy = (0..<count).map { _ in generator.uniform() }
      let arrays = [x, dy].map { NDArray($0, shape: shape) }
      let results = try run(backend, arrays[0], arrays[1], samples: samples, groups: groups)
      let expected = try run(nil, arrays[0], arrays[1], samples: samples, groups: groups)
      for (result, right) in zip(results, expected) {
        let scale = right.map(abs).max()!
        let error = zip(result, right).map { abs($0 - $1) }.max()!
        #expect(error <= 1e-5 * scale, "\(error) of \(scale)")
      }
    }

    @Test(arguments: TestBackend.allCases, [([300_000, 3], 1, 1), ([9000, 4, 17], 1, 17), ([2, 300, 200, 4], 1, 2)])
    func parameterGradientsKeepTheirDigits(_ backend: TestBackend, _ test: ([Int], Int, Int)) throws {
      let (shape, samples, groups) = test
      let (count, channels) = (shape.elementCount, shape[shape.count - 1])
      // Half of a group's elements are 1 and half are -1, or two of three 0 and 1: all products have one sign.
      let x = (0..<count).map { Float($0 / channels % 2 + $0 % channels % 2) }
      let rows = NDArray(x, shape: shape)
      let normalized = try run(nil, rows, rows, samples: samples, groups: groups)[0].map { Float($0 - 0.5) }
      let dy = normalized.map { $0 < 0 ? -0.1 as Float : 0.1 }
      let results = try run(backend, rows, NDArray(dy, shape: shape), samples: samples, groups: groups)
      let n = count / channels
      var (products, sums) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
      var (sizes, magnitudes) = (products, sums)
      for (i, d) in dy.enumerated() {
        products[i % channels] += Double(d) * Double(normalized[i])
        sizes[i % channels] += abs(Double(d) * Double(normalized[i]))
        sums[i % channels] += Double(d)
        magnitudes[i % channels] += abs(Double(d))
      }
      let limit = 4e-7 * log2(Double(n))
      for c in 0..<channels {
        #expect(abs(results[2][c] - products[c]) <= limit * sizes[c], "\(results[2][c]), right is \(products[c])")
        #expect(abs(results[3][c] - sums[c]) <= limit * magnitudes[c], "\(results[3][c]), right is \(sums[c])")
      }
    }

    /// What is not finite makes its group NaN and no other.
    @Test(arguments: TestBackend.allCases, shapes)
    func nonFiniteGroupsAreNaN(_ backend: TestBackend, _ test: ([Int], Int, Int)) throws {
      let (shape, samples, groups) = test
      let (count, channels) = (shape.elementCount, shape[shape.count - 1])
      let place = count - 1
      for value in [Float.nan, .infinity] {
        var x = RowData.noise.values(count / channels, channels)
        x[place] = value
        let ones = NDArray([Float](repeating: 1, count: count), shape: shape)
        let results = try run(backend, NDArray(x, shape: shape), ones, samples: samples, groups: groups)
        let (sample, width) = (count / shape[0], channels / groups)
        for i in 0..<count {
          let isIn = i / sample == place / sample && i % channels / width == place % channels / width
          #expect(results[0][i].isNaN == isIn && results[1][i].isNaN == isIn)
        }
      }
    }

    /// Equal elements are normalised to 0 exactly.
    @Test(arguments: TestBackend.allCases, shapes)
    func constantGroupsAreZero(_ backend: TestBackend, _ test: ([Int], Int, Int)) throws {
      let (shape, samples, groups) = test
      let x = NDArray([Float](repeating: 0.1, count: shape.elementCount), shape: shape)
      let y = try run(backend, x, x, samples: samples, groups: groups)[0]
      #expect(y.allSatisfy { abs($0 - 0.5) <= 1e-6 })
    }
  }
}
