import ApusCore
import ApusData
import ApusNN

extension Trainer {
  /// Data sets that keep their steps and their place: training, validation, test, and one more.
  private static let placedLimit = 4

  /// Samples in their place, checked against model and loss.
  func place(_ data: some Dataset) throws -> any TrainingData {
    if let images = data as? ImageDataset { return try place(images.images, images.labels, name: images.name) }
    try data.requireUsable()
    try prepare(inputShape: data.input.shape)
    return StreamedData(data, classes: data.target.dtype == .int32 ? labelledClasses : nil)
  }

  /// The arrays in their place; the same arrays are uploaded at most once and stay until others have been used since.
  func place(_ inputs: NDArray, _ targets: NDArray, name: String) throws -> any TrainingData {
    let known = placed.first { data in
      (dataPlacement == .automatic || dataPlacement == data.placement)
        && (data.source as? ArrayDataset)?.holds(inputs, targets) == true
    }
    if let known {
      try prepare(inputShape: known.source.input.shape)
      return known
    }
    let source = try ArrayDataset(inputs: inputs, targets: targets, name: name)
    try prepare(inputShape: source.input.shape)
    if let classes = labelledClasses, let stray = source.strayLabel(classes: classes) {
      throw source.strayLabelError(stray.label, index: stray.index, classes: classes)
    }
    let fits = DataPlacement.fits(
      [inputs.byteCount, targets.byteCount], on: session.device, used: session.allocatedBytes)
    if dataPlacement == .host || (dataPlacement == .automatic && !fits) { return kept(StreamedData(source)) }
    return try naming("the \(source.count) samples of '\(name)'") {
      kept(try ResidentData(source, session: session))
    }
  }

  /// How many classes labels may be of; `nil` where targets are no labels.
  private var labelledClasses: Int? {
    if case .classes(_, labels: .sparse) = loss.outputs { outputShape.last } else { nil }
  }

  /// Notes that `data` is in use; the data that was not used for longest gives back its memory.
  @discardableResult
  func kept(_ data: any TrainingData) -> any TrainingData {
    placed.removeAll { $0 === data }
    placed.append(data)
    guard placed.count > Self.placedLimit else { return data }
    let oldest = placed.removeFirst()
    steps.removeAll { $0.data == oldest.identity }
    oldest.release(from: session)
    return data
  }
}

extension Dataset {
  /// - Throws: `TrainingError` for samples that no model can be trained on.
  func requireUsable() throws(TrainingError) {
    func failure(_ reason: String) -> TrainingError { TrainingError(.badData, at: name, reason) }
    guard (1...Int(Int32.max)).contains(count) else {
      throw failure("\(count) samples; there must be at least 1 and at most \(Int32.max)")
    }
    guard !input.shape.isEmpty, input.shape.allSatisfy({ $0 > 0 }), input.dtype == .float32 || input.dtype == .uint8
    else { throw failure("an input is \(input); it must be float32 or uint8 with at least one axis and no empty ones") }
    guard target.dtype == .float32 || target.dtype == .int32, target.shape.allSatisfy({ $0 > 0 }) else {
      throw failure("a target is \(target); it must be float32 or int32 without empty axes")
    }
    guard samplesWorthATask >= 1 else {
      throw failure("samplesWorthATask is \(samplesWorthATask); it must be at least 1")
    }
  }

  /// - Throws: `TrainingError` for a label in `target`, of sample `index`, that is no class.
  func requireLabels(in target: UnsafeMutableRawBufferPointer, index: Int, classes: Int) throws(TrainingError) {
    if let stray = target.bindMemory(to: Int32.self).first(where: { !Numerics.isClass($0, of: classes) }) {
      throw strayLabelError(Int(stray), index: index, classes: classes)
    }
  }

  func strayLabelError(_ label: Int, index: Int, classes: Int) -> TrainingError {
    TrainingError(
      .badData, at: name,
      "label \(label) at index \(index), but the model has \(classes) outputs: labels run from 0 to \(classes - 1); give "
        + "the last layer more units or correct the label")
  }
}
