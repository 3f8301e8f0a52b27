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

    private func limit(_ n: Int) -> Double { 4e-7 * max(1, log2(Double(max(n, 1)))) }

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
          [
            channelSum(.input(0) * .input(1), $0), channelSum(.input(1), $0),
            channelSum(.input(0) * .input(0), [$0[0]]),
          ]
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

    /// Each of the sums of `n` products of a tenth with itself, or of `n` tenths: rounding errors of one sign.
    private func expectSums(
      _ backend: TestBackend, _ shapes: [[Int]], terms n: Int, ofProducts: Bool = true, within factor: Double = 1,
      indices: NDArray? = nil, _ build: ([Tensor]) -> Tensor
    ) throws {
      let inputs = shapes.map { NDArray([Float](repeating: 0.1, count: $0.elementCount), shape: $0) }
      let result = try run(backend, inputs + (indices.map { [$0] } ?? [])) { [build($0)] }[0]
      let tenth = Double(Float(0.1)), truth = Double(n) * (ofProducts ? tenth * tenth : tenth)
      let worst = result.doubles.map { abs($0 - truth) / truth }.max()!
      #expect(worst <= factor * limit(n), "\(worst) off, may be \(limit(n))")
    }

    /// Backends that cut long sums of products into parts of about 512 terms; the GPU-class kernels have parts of 8192.
    static let withShortParts = TestBackend.allCases.filter { backend in
      #if OpenCL
        backend != .openCLGPUClass
      #else
        true
      #endif
    }

    /// What the sums of products may lose in limits: oneDNN has its own blocks.
    private func products(_ backend: TestBackend) -> Double { backend == .cpu ? 8 : 1 }

    @Test(
      arguments: withShortParts,
      [[4, 100_000, 4], [300, 3000, 70], [1, 300_000, 1], [1, 100_000, 10], [64, 12_544, 128], [1000, 2000, 24]])
    func productsKeepTheirDigits(_ backend: TestBackend, _ sizes: [Int]) throws {
      let (m, k, n) = (sizes[0], sizes[1], sizes[2])
      for (a, b) in [(false, false), (true, false), (false, true)] {
        try expectSums(
          backend, [a ? [k, m] : [m, k], b ? [n, k] : [k, n]], terms: k, within: products(backend)
        ) { matMul($0[0], $0[1], transposeA: a, transposeB: b) }
      }
    }

    /// Images, filter, groups: by Winograd's method, depthwise, with few filters, of single pixels.
    @Test(
      arguments: withShortParts,
      [
        ([16, 66, 66, 16], [3, 3, 16, 32], 1), ([8, 98, 98, 32], [3, 3, 1, 32], 32),
        ([64, 9, 9, 70], [3, 3, 1, 70], 70), ([16, 66, 66, 32], [3, 3, 32, 3], 1),
        ([32, 56, 56, 16], [1, 1, 16, 16], 1),
      ] as [([Int], [Int], Int)])
    func filterGradientsKeepTheirDigits(_ backend: TestBackend, _ sizes: ([Int], [Int], Int)) throws {
      let (image, filter, groups) = sizes
      let result = [image[0], image[1] - filter[0] + 1, image[2] - filter[1] + 1, filter[3]]
      let pixels = result.dropLast().reduce(1, *)
      try expectSums(backend, [image, filter, result], terms: pixels, within: 2) { inputs in
        let y = conv2D(inputs[0], inputs[1], groups: groups)
        return inputs[0].graph.gradients(of: reduceSum(y * inputs[2]), with: [inputs[1]])[0]
      }
    }

    /// The first layer of a network for photographs.
    @Test(arguments: withShortParts) func filterGradientsOfLargeImagesKeepTheirDigits(_ backend: TestBackend) throws {
      // oneDNN adds up the 12,544 pixels of an image one after the other.
      try expectSums(
        backend, [[8, 230, 230, 3], [7, 7, 3, 64], [8, 112, 112, 64]], terms: 100_352,
        within: backend == .cpu ? 24 : 1
      ) { inputs in
        let y = conv2D(inputs[0], inputs[1], stride: (2, 2))
        return inputs[0].graph.gradients(of: reduceSum(y * inputs[2]), with: [inputs[1]])[0]
      }
    }

    /// Windows of very many cells and channels, with few filters: a copy of them would not fit on a stack.
    @Test(arguments: withShortParts, [[1, 7, 7, 12_000, 3], [2, 1, 1, 300_000, 5], [1, 8, 9, 9000, 12]])
    func convolutionsOfLargeWindowsKeepTheirDigits(_ backend: TestBackend, _ sizes: [Int]) throws {
      let (image, filters) = (Array(sizes[..<4]), sizes[4])
      let filter = [image[1], image[2], image[3], filters]
      try expectSums(backend, [image, filter], terms: filter[..<3].reduce(1, *), within: products(backend)) {
        conv2D($0[0], $0[1])
      }
    }

    @Test(
      arguments: TestBackend.allCases,
      [[400, 400, 3, 400], [90, 200, 17, 80], [1, 3000, 1, 3000], [3000, 2, 20, 1500]])
    func averagesOfLargeWindowsKeepTheirDigits(_ backend: TestBackend, _ sizes: [Int]) throws {
      // The image, and the longest side of a window.
      let window = (min(sizes[3], sizes[0]), min(sizes[3], sizes[1]))
      let cells = window.0 * window.1
      try expectSums(backend, [[2, sizes[0], sizes[1], sizes[2]]], terms: cells, ofProducts: false) {
        pool2D($0[0], .average, size: window, stride: (5, 5)) * Double(cells)
      }
    }

    /// A row of a table that is gathered again and again, beside one that is not and indices that are none.
    @Test(arguments: TestBackend.allCases, [[100_000, 1], [30_000, 300]])
    func gradientsOfGatheredRowsKeepTheirDigits(_ backend: TestBackend, _ sizes: [Int]) throws {
      let (count, width) = (sizes[0], sizes[1])
      let indices = (0..<count).map { [1, 1, 1, -1, 2, 7][$0 % 6] as Int32 }
      let rows = NDArray([Float](repeating: 0.1, count: count * width), shape: [count, width])
      let table = NDArray([Float](repeating: 0, count: 3 * width), shape: [3, width])
      let result = try run(backend, [table, rows, NDArray(indices, shape: [count])]) { inputs in
        inputs[0].graph.gradients(of: reduceSum(gather(inputs[0], inputs[2]) * inputs[1]), with: [inputs[0]])
      }[0].doubles
      for row in 0..<3 {
        let terms = indices.count { $0 == row }
        let truth = Double(terms) * Double(Float(0.1))
        #expect(result[(row * width)..<((row + 1) * width)].allSatisfy { abs($0 - truth) <= limit(terms) * truth })
      }
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
        return [
          reduceSum(y, axes: [0, 1, 2]), channelSum(.input(0), [y]), reduceMean(y, axes: [0, 1, 2]) * Double(n),
        ]
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
