import ApusCore
import ApusData

/// Changes of the batch's pictures, by numbers that are given with each batch.
struct AugmentStage: StepStage {
  let layout: AugmentationPlan.Layout
  let batchSize: Int
  /// Factor of bytes, which become float32.
  let pixelScale: Double

  func append(to step: inout StepTrace) {
    let graph = step.graph
    let edits = graph.feed("edits", shape: [batchSize, layout.editCount])
    step.fed.append(edits)
    let pictures = step.inputs[0]
    let changed = augment(pictures, edits: edits, readsNeighbours: layout.readsNeighbours)
    step.inputs[0] = pictures.dtype == .uint8 ? changed * pixelScale : changed
    guard layout.mixes else { return }
    let mix = graph.feed("mix", shape: [batchSize, AugmentationPlan.Layout.mixCount])
    step.fed.append(mix)
    // Each takes from the next, the last from the first.
    let others = graph.constant(NDArray((1...Int32(batchSize)).map { $0 % Int32(batchSize) }, shape: [batchSize]))
    step.inputs[0] = mixed(step.inputs[0], others, mix)
    step.mix = (others, reshape(column(mix, 5), to: [batchSize]))
  }

  /// `v + m (other - v)`, where m is 1 in the box and the share outside of it.
  private func mixed(_ pictures: Tensor, _ others: Tensor, _ mix: Tensor) -> Tensor {
    let graph = pictures.graph
    let (height, width) = (pictures.shape[1], pictures.shape[2])
    let rows = graph.constant(NDArray((0..<height).map(Float.init), shape: [height, 1, 1]))
    let columns = graph.constant(NDArray((0..<width).map(Float.init), shape: [width, 1]))
    func isInside(_ place: Int, _ first: Int, _ end: Int) -> Expr {
      .ifGreater(
        .input(first), .input(place), then: 0, otherwise: .ifGreater(.input(end), .input(place), then: 1, otherwise: 0))
    }
    let inside = isInside(2, 5, 6) * isInside(3, 7, 8)
    let share = inside + (1 - inside) * .input(4)
    return pointwise(
      .input(0) + share * (.input(1) - .input(0)),
      [pictures, gather(pictures, others), rows, columns] + (0..<5).map { column(mix, $0) })
  }

  private func column(_ mix: Tensor, _ index: Int) -> Tensor {
    reshape(slice(mix, starts: [0, index], sizes: [batchSize, 1]), to: [batchSize, 1, 1, 1])
  }
}

/// Batches with the numbers of their augmentation.
final class AugmentedFeed: BatchFeed {
  private let inner: any BatchFeed
  private let plan: AugmentationPlan
  private let order: [Int32]
  private let batches: Batches
  private let epoch: Int
  private let seed: UInt64
  private var step = 0
  private var edits: [Float]
  private var mix: [Float]

  init(
    _ inner: any BatchFeed, _ plan: AugmentationPlan, _ order: [Int32], _ batches: Batches, epoch: Int, seed: UInt64
  ) {
    (self.inner, self.plan, self.order, self.batches) = (inner, plan, order, batches)
    (self.epoch, self.seed) = (epoch, seed)
    edits = [Float](repeating: 0, count: batches.size * plan.layout.editCount)
    mix = [Float](repeating: 0, count: plan.layout.mixes ? batches.size * AugmentationPlan.Layout.mixCount : 0)
  }

  var waitedSeconds: Double { inner.waitedSeconds }

  func setNext(_ indices: [Int], of executable: any Executable) throws {
    let own = plan.layout.mixes ? 2 : 1
    try inner.setNext(Array(indices.dropLast(own)), of: executable)
    let samples = batches.range(step)
    let (width, mixWidth) = (plan.layout.editCount, plan.layout.mixes ? AugmentationPlan.Layout.mixCount : 0)
    try edits.withUnsafeMutableBufferPointer { edits in
      try mix.withUnsafeMutableBufferPointer { mix in
        for (place, sample) in samples.enumerated() {
          try plan.draw(
            Int(order[sample]), epoch: epoch, seed: seed,
            into: .init(rebasing: edits[(place * width)..<((place + 1) * width)]),
            .init(rebasing: mix[(place * mixWidth)..<((place + 1) * mixWidth)]))
        }
      }
    }
    step += 1
    let (first, drawn) = (indices.count - own, (edits: edits, mix: mix))
    try executable.setInput(indices[first], drawn.edits.span.extracting(first: samples.count * width))
    if plan.layout.mixes {
      try executable.setInput(indices[first + 1], drawn.mix.span.extracting(first: samples.count * mixWidth))
    }
  }

  func restart() {
    inner.restart()
    step = 0
  }
}

extension Trainer {
  /// The plan of `augmentation` for the pictures of `data`; `nil` for none.
  func plan(_ augmentation: [any Augmentation], for data: any TrainingData) throws -> AugmentationPlan? {
    guard !augmentation.isEmpty else { return nil }
    guard data.source.inputs.count == 1 else {
      throw TrainingError(
        .invalidArgument, at: "augmentation", "it is for models with one input, and \(data.name) has several")
    }
    return try AugmentationPlan(augmentation, picture: data.source.inputs[0])
  }
}
