import ApusCore
import ApusNN
import Testing

@Suite struct LossTests {
  private func trace(_ loss: any Loss, _ model: some Layer, target: NDArray) throws {
    try model.build(inputShape: [3])
    let graph = Graph()
    try graph.trace { graph in
      let x = graph.input("x", shape: [2, 3])
      _ = loss(model(x), graph.constant(target))
    }
  }

  private let labels = NDArray([0, 1] as [Int32], shape: [2])

  @Test func softmaxBeforeALossOfLogitsIsRefused() {
    let model = Sequential {
      Dense(4)
      Softmax()
    }
    #expect(throws: GraphError.self) { try trace(.sparseCategoricalCrossEntropy, model, target: labels) }
    #expect(throws: Never.self) { try trace(.sparseCategoricalCrossEntropy(fromLogits: false), model, target: labels) }
  }

  @Test func sigmoidBeforeALossOfLogitsIsRefused() {
    let model = Dense(1, activation: .sigmoid)
    let target = NDArray([0, 1] as [Float], shape: [2])
    #expect(throws: GraphError.self) { try trace(.binaryCrossEntropy, model, target: target) }
    #expect(throws: Never.self) { try trace(.binaryCrossEntropy(fromLogits: false), model, target: target) }
  }

  @Test func linearLayerBeforeALossOfProbabilitiesIsRefused() {
    #expect(throws: GraphError.self) {
      try trace(.sparseCategoricalCrossEntropy(fromLogits: false), Dense(4), target: labels)
    }
    #expect(throws: GraphError.self) {
      try trace(.sparseCategoricalCrossEntropy(fromLogits: false), Dense(4, useBias: false), target: labels)
    }
  }

  @Test func shapesThatDoNotFitAreNamed() throws {
    let error = #expect(throws: GraphError.self) {
      try trace(.meanSquaredError, Dense(4), target: NDArray(zeros: [2, 3]))
    }
    #expect(error?.description.contains("float32[2, 4]") == true)
    #expect(error?.description.contains("float32[2, 3]") == true)
    #expect(throws: GraphError.self) {
      try trace(.categoricalCrossEntropy(labelSmoothing: 1), Dense(4), target: NDArray(zeros: [2, 4]))
    }
  }

  /// Every loss refuses a batch of none instead of dividing by its size.
  @Test(arguments: Losses.catalog.names) func anEmptyBatchIsRefused(_ name: String) throws {
    let loss = try Losses.catalog.part(named: name)
    let error = #expect(throws: GraphError.self) {
      try Graph().trace { graph in
        let labels = loss is SparseCategoricalCrossEntropy
        return loss(
          graph.input("x", shape: [0, 4]),
          graph.input("y", shape: labels ? [0] : [0, 4], dtype: labels ? .int32 : .float32))
      }
    }
    #expect(error?.message.contains("must not be empty") == true)
  }

  @Test func labelsOfImagesAreAveragedPerSample() throws {
    let logits = NDArray((0..<24).map { Float($0 % 5) }, shape: [2, 2, 2, 3])
    let labels = NDArray([0, 1, 2, 0, 1, 2, 0, 1] as [Int32], shape: [2, 2, 2])
    let values = try evaluate { graph in
      let x = graph.constant(logits)
      let rows = softmaxCrossEntropy(
        reshape(x, to: [8, 3]), labels: reshape(graph.constant(labels), to: [8]))
      return [
        SparseCategoricalCrossEntropy()(x, graph.constant(labels)),
        reduceMean(reshape(rows, to: [2, 4]), axes: [1]),
      ]
    }
    expectEqual(values[0], values[1])
  }
}
