import ApusCore
import ApusNN
import Testing

/// Losses against Keras and PyTorch: the mean, each sample's loss, and the gradient of the mean.
@Suite struct LossFixtureTests {
  @Test(arguments: Fixture.all(in: "losses"))
  func lossAgrees(_ fixture: Fixture) throws {
    let loss = try #require(Self.loss(fixture))
    let values = try evaluate { graph in
      let prediction = graph.parameter(Parameter("prediction", value: fixture["prediction"]))
      let losses = loss(prediction, graph.constant(fixture["target"]))
      let mean = reduceMean(losses)
      return [losses, mean] + graph.gradients(of: mean, with: [prediction])
    }
    let unreduced = fixture["unreduced"]
    let batch = fixture["prediction"].shape[0]
    let each = unreduced.count / batch
    let samples = (0..<batch).map { n in
      Float(unreduced.doubles[(n * each)..<((n + 1) * each)].reduce(0, +) / Double(each))
    }
    expectEqual(values[0], NDArray(samples, shape: [batch]), "samples")
    expectEqual(values[1], fixture["loss"], "mean")
    expectEqual(values[2], fixture["dprediction"], tolerance: 1e-5, "gradient")
  }

  private static func loss(_ f: Fixture) -> (any Loss)? {
    let (fromLogits, smoothing) = (f.flag("from_logits"), f.number("label_smoothing") ?? 0)
    return switch f.op {
    case "sparse_categorical_crossentropy":
      SparseCategoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "categorical_crossentropy": CategoricalCrossEntropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    case "binary_crossentropy": BinaryCrossEntropy(fromLogits: fromLogits, labelSmoothing: smoothing)
    default: try? Losses.catalog.part(named: f.op)
    }
  }
}
