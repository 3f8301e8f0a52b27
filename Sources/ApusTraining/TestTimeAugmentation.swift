import ApusCore
public import ApusData
import ApusNN

/// Views of a picture whose outputs are averaged in evaluation and prediction: what the network says of the picture as
/// it is, mirrored, or moved.
///
/// Probabilities are averaged where the loss is one of classification, else outputs.
/// Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012.
///
/// ```swift
/// trainer.testTimeAugmentation = .flip
/// print(try trainer.evaluate(test).accuracy!)
/// ```
public struct TestTimeAugmentation: Sendable, Hashable {
  /// From each view to the picture; the first is the picture itself.
  let maps: [Homography]
  /// Whether each is there mirrored, too.
  let flips: Bool

  /// The picture and its mirror image.
  public static let flip = TestTimeAugmentation(maps: [.identity], flips: true)

  /// The picture, and moved by `pixels` in each of the eight directions, all of them mirrored, too, where `flips`.
  public static func shift(_ pixels: Int, flips: Bool = true) -> TestTimeAugmentation {
    let steps = [0, -pixels, pixels].map(Double.init)
    return TestTimeAugmentation(maps: steps.flatMap { y in steps.map { x in .shift(x, y) } }, flips: flips)
  }

  /// The edits of each view of a picture of that size.
  fileprivate func views(height: Int, width: Int) -> [[Float]] {
    var views: [[Float]] = []
    for isFlipped in flips ? [false, true] : [false] {
      for map in maps {
        var picture = PictureEdit(height: height, width: width, channels: 1, white: 1)
        if isFlipped { picture.flipHorizontally() }
        picture.move(map, border: .edge)
        let edit = picture.finished()[0].map(Float.init)
        views.append(edit + [Float](repeating: 0, count: EditCode.stride - edit.count))
      }
    }
    return views
  }
}

/// The model on several views of its pictures, averaged.
struct ViewsStage: StepStage {
  let views: TestTimeAugmentation
  let outputs: [Output]
  let model: any Model
  let pixelScale: Double

  func append(to step: inout StepTrace) throws {
    let (graph, pictures) = (step.graph, step.inputs[0])
    guard pictures.rank == 4, step.inputs.count == 1 else {
      throw TrainingError(
        .invalidArgument, at: "test-time augmentation",
        "it is for models with one input of pictures [N, height, width, channels], not for "
          + "\(step.inputs.map(\.shape).shapesDescription)")
    }
    let batchSize = pictures.shape[0]
    var sums: [Tensor] = []
    let views = views.views(height: pictures.shape[1], width: pictures.shape[2])
    for view in views {
      let edits = graph.constant(
        NDArray((0..<batchSize).flatMap { _ in view }, shape: [batchSize, EditCode.stride]))
      let changed = augment(pictures, edits: edits, readsNeighbours: false)
      step.inputs = [pictures.dtype == .uint8 ? changed * pixelScale : changed]
      try ModelStage(model: model, pixelScale: 1).append(to: &step)
      let values = zip(outputs, step.predictions).map { averaged($0, $1) }
      sums = sums.isEmpty ? values : zip(sums, values).map { $0 + $1 }
    }
    step.inputs = [pictures]
    step.predictions = zip(outputs, sums).map { finished($0, $1 * (1 / Double(views.count))) }
  }

  /// What is averaged of an output.
  private func averaged(_ output: Output, _ values: Tensor) -> Tensor {
    switch output.loss.outputs {
    case .classes(fromLogits: true, _): softmax(values)
    case .binary(fromLogits: true): sigmoid(values)
    default: values
    }
  }

  /// The output whose mean that is.
  private func finished(_ output: Output, _ mean: Tensor) -> Tensor {
    switch output.loss.outputs {
    case .classes(fromLogits: true, _): log(mean)
    case .binary(fromLogits: true): log(mean) - log(1 - mean)
    default: mean
    }
  }
}
