import ApusCore
import ApusDevices
import ApusNN
import Testing

@Suite struct BatchNormalizationTests {
  private let values: [Float] = [1, 10, 3, 30, 5, 20, 7, 0]

  /// The layer's result for `values` as [4, 2], run `times` times.
  private func run(_ layer: BatchNormalization, _ mode: Graph.Mode, times: Int = 1) throws -> [Float] {
    let graph = Graph(mode: mode)
    let y = try graph.trace { layer($0.input("x", shape: [2, 2, 1, 2])) }
    let executable = try Device.reference.openSession().compile(graph, outputs: [y])
    var result: [NDArray] = []
    for _ in 0..<times { result = try executable([NDArray(values, shape: [2, 2, 1, 2])]) }
    return result[0].values()
  }

  /// Channel 0 holds 1 3 5 7 (mean 4, variance 5), channel 1 holds 10 30 20 0 (mean 15, variance 125).
  @Test func trainingTakesTheBatch() throws {
    let y = try run(BatchNormalization(epsilon: 0), .training)
    let a = 1 / Float(5).squareRoot(), b = 1 / Float(125).squareRoot()
    let expected = [-3 * a, -5 * b, -1 * a, 15 * b, 1 * a, 5 * b, 3 * a, -15 * b]
    for (value, truth) in zip(y, expected) { #expect(abs(value - truth) < 1e-6) }
  }

  @Test func movingValuesFollowTheBatch() throws {
    let layer = BatchNormalization(momentum: 0.9)
    let graph = Graph(mode: .training)
    let y = try graph.trace { layer($0.input("x", shape: [4, 2])) }
    let session = try Device.cpu.openSession()
    let executable = try session.compile(graph, outputs: [y])
    for _ in 0..<2 { _ = try executable([NDArray(values, shape: [4, 2])]) }
    // After two steps from 0 and 1: mean (1 - 0.9^2) * m, variance 0.9^2 + (1 - 0.9^2) * v.
    for (value, truth) in zip(try layer.movingMean.value().doubles, [0.76, 2.85]) { #expect(abs(value - truth) < 1e-5) }
    for (value, truth) in zip(try layer.movingVariance.value().doubles, [1.76, 24.56]) {
      #expect(abs(value - truth) < 1e-5)
    }
  }

  @Test func inferenceTakesTheMovingValues() throws {
    let layer = BatchNormalization(epsilon: 0)
    layer.movingMean.initialize { NDArray([1, 10] as [Float], shape: [2]) }
    layer.movingVariance.initialize { NDArray([4, 25] as [Float], shape: [2]) }
    #expect(try run(layer, .inference) == [0, 0, 1, 4, 2, 2, 3, -2])
  }

  /// The scale is part of the filter then, computed when a parameter changes.
  @Test func inferenceAfterAConvolutionFollowsItsParameters() throws {
    let (convolution, norm) = (Conv2D(8, kernel: 3, useBias: false), BatchNormalization())
    let graph = Graph()
    let y = try graph.trace { graph in
      let x = graph.input("x", shape: [2, 6, 6, 3])
      return relu(norm(convolution(x)) + slice(x, starts: [0, 0, 0, 0], sizes: [2, 4, 4, 1]))
    }
    let values = (0..<216).map { Float($0 % 17) / 8 - 1 }
    let input = NDArray(values, shape: [2, 6, 6, 3])
    var options = CompileOptions()
    options.fuses = false
    let session = try Device.cpu.openSession()
    let folded = try session.compile(graph, outputs: [y])
    let plain = try session.compile(graph, outputs: [y], options: options)
    #expect(folded.launchCount < plain.launchCount)
    for scale in [1, -2, 0.5] as [Float] {
      try norm.gamma!.assign(NDArray([Float](repeating: scale, count: 8), shape: [8]))
      try norm.movingMean.assign(NDArray((0..<8).map { Float($0) / 10 }, shape: [8]))
      let (a, b) = (try folded([input])[0].doubles, try plain([input])[0].doubles)
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(a.contains { $0 != 0 })
    }
  }

  /// One plan changes the parameters that another one has prepared.
  @Test func inferenceFollowsTraining() throws {
    let (convolution, norm) = (Conv2D(4, kernel: 1, useBias: false), BatchNormalization(momentum: 0.5))
    let session = try Device.cpu.openSession()
    func compile(_ mode: Graph.Mode) throws -> any Executable {
      let graph = Graph(mode: mode)
      let y = try graph.trace { norm(convolution($0.input("x", shape: [4, 2, 2, 1]))) }
      return try session.compile(graph, outputs: [y])
    }
    let (training, inference) = (try compile(.training), try compile(.inference))
    let input = NDArray((0..<16).map { Float($0) }, shape: [4, 2, 2, 1])
    let before = try inference([input])[0]
    _ = try training([input])
    let after = try inference([input])[0]
    #expect(before != after)
    #expect(try inference([input])[0] == after)
  }

  @Test func holdsTwoTrainableAndTwoMovingParameters() throws {
    let model = Sequential { BatchNormalization() }
    try model.build(inputShape: [4, 4, 3])
    #expect(
      model.parameters.filter(\.isTrainable).map(\.name) == ["batch_normalization.gamma", "batch_normalization.beta"])
    #expect(model.parameters.count == 4)
  }
}
