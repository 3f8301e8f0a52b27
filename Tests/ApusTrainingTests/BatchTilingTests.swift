import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import ApusTraining
import Testing

/// Batches that go through the graph in tiles of rows give the numbers of whole ones.
@Suite struct BatchTilingTests {
  private func model(normalizes: Bool) -> Sequential {
    Sequential {
      Conv2D(4, kernel: 3, padding: .same, activation: .relu)
      // Of the batch, or of each sample.
      if normalizes { BatchNormalization() } else { GroupNormalization(groups: 2) }
      MaxPool2D()
      LayerNormalization()
      Conv2D(6, kernel: 1, activation: .relu)
      Flatten()
      Dense(5, activation: .tanh)
      Dropout(0.2)
      Dense(4)
    }
  }

  /// Losses and weights of two epochs; the second batch of each is a partial one.
  private func run(
    _ device: Device, batchSize: Int, tile: Int?, normalizes: Bool = false
  ) throws -> (losses: [Double], weights: [NDArray]) {
    var options = CompileOptions()
    options.batchTileRows = tile
    let model = model(normalizes: normalizes)
    let trainer = try Trainer(
      model, optimizer: Adam(learningRate: 0.01), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy],
      device: device, seed: 5, options: options)
    let history = try trainer.fit(quadrants(batchSize + 21), epochs: 2, batchSize: batchSize, progress: .none)
    let test = try trainer.evaluate(quadrants(batchSize), batchSize: batchSize)
    let probabilities = try trainer.probabilities(quadrants(9).images, batchSize: 9)
    return (
      history.epochs.flatMap { [$0.loss, $0.accuracy!] } + [test.loss, test.accuracy!] + probabilities.doubles,
      try values(of: model)
    )
  }

  @Test(arguments: [Device.reference, .cpu], [false, true])
  func tilesChangeNoResult(device: Device, normalizes: Bool) throws {
    for (batchSize, tile) in [(128, 32), (100, 32), (33, 7), (24, 1)] {
      let whole = try run(device, batchSize: batchSize, tile: batchSize + 21, normalizes: normalizes)
      let tiled = try run(device, batchSize: batchSize, tile: tile, normalizes: normalizes)
      #expect(zip(whole.losses, tiled.losses).allSatisfy { abs($0 - $1) < 1e-4 }, "\(batchSize) by \(tile)")
      for (a, b) in zip(whole.weights, tiled.weights) {
        #expect(zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) < 1e-4 }, "\(batchSize) by \(tile)")
      }
    }
  }

  /// Statistics of a sample need no other: it and its gradients are computed in tiles.
  @Test func normalizationOfSamplesFallsIntoTiles() throws {
    func listing(_ tile: Int) throws -> [Substring] {
      var options = CompileOptions()
      options.batchTileRows = tile
      let model = Sequential {
        Conv2D(4, kernel: 3)
        GroupNormalization(groups: 2)
        Flatten()
        Dense(4)
      }
      let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: .reference, options: options) {
        graph in
        let x = graph.input("x", shape: [128, 8, 8, 1])
        return softmaxCrossEntropy(model(x), labels: graph.input("labels", shape: [128], dtype: .int32))
      }
      return step.executable.listing.split(separator: "\n")
    }
    let (whole, tiled) = (try listing(128), try listing(32))
    #expect(whole.count { $0.contains("= normalize(") } == 1 && tiled.count { $0.contains("= normalize(") } == 4)
    #expect(whole.count { $0.contains("= normalize gradients(") } == 1)
    #expect(tiled.count { $0.contains("= normalize gradients(") } == 4)
  }

  /// Every row of a step without batch statistics goes by tiles; their gradients meet before the update.
  @Test func aStepFallsIntoTiles() throws {
    func launches(_ tile: Int) throws -> (count: Int, convolutions: Int, bytes: Int) {
      var options = CompileOptions()
      options.batchTileRows = tile
      let model = smallModel()
      let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: .reference, options: options) {
        graph in
        let x = graph.input("x", shape: [128, 8, 8, 1])
        let labels = graph.input("labels", shape: [128], dtype: .int32)
        return softmaxCrossEntropy(model(x), labels: labels)
      }
      let listing = step.executable.listing.split(separator: "\n")
      return (
        step.executable.launchCount, listing.count { $0.contains("= conv2D(") }, step.executable.plannedBytes
      )
    }
    let whole = try launches(128), tiled = try launches(32)
    #expect(whole.convolutions == 1 && tiled.convolutions == 4)
    #expect(tiled.count > whole.count && tiled.count <= 4 * whole.count)
    #expect(tiled.bytes < whole.bytes)
  }
}
