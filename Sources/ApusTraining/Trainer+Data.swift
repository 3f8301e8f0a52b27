import ApusCore
import ApusData
import ApusNN

extension Trainer {
  /// Data sets that keep their steps and their place: training, validation, test, and one more.
  private static let placedLimit = 4

  /// Samples in their place, checked against model and losses.
  func place(_ data: some Dataset) throws -> any TrainingData {
    if let images = data as? ImageDataset { return try place([images.images], [images.labels], name: images.name) }
    try data.requireUsable()
    try prepare(for: data)
    return StreamedData(data, labels: labelChecks.filter { data.targets[$0.target].dtype == .int32 })
  }

  /// The arrays in their place; the same arrays are uploaded at most once and stay until others have been used since.
  func place(_ inputs: [NDArray], _ targets: [NDArray], name: String) throws -> any TrainingData {
    let known = placed.first { data in
      (dataPlacement == .automatic || dataPlacement == data.placement)
        && (data.source as? ArrayDataset)?.holds(inputs, targets) == true
    }
    if let known {
      try prepare(for: known.source)
      return known
    }
    let source = try ArrayDataset(inputs: inputs, targets: targets, name: name)
    try prepare(for: source)
    try source.require(labelChecks)
    let fits = DataPlacement.fits(
      (inputs + targets).map(\.byteCount), on: session.device, used: session.allocatedBytes)
    if dataPlacement == .host || (dataPlacement == .automatic && !fits) { return kept(StreamedData(source)) }
    return try naming("the \(source.count) samples of '\(name)'") {
      kept(try ResidentData(source, session: session))
    }
  }

  /// Prepares the model for `data`.
  private func prepare(for data: some Dataset) throws {
    guard data.targets.count == outputs.count else {
      throw TrainingError(
        .badData, at: data.name,
        "a sample has \(counted(data.targets.count, "target")), and the trainer has losses for "
          + "\(counted(outputs.count, "output")); give one target for each output, in their order")
    }
    try prepare(inputShapes: data.inputs.map(\.shape))
  }

  /// For the outputs whose targets are class numbers.
  private var labelChecks: [LabelCheck] {
    outputs.indices.compactMap { index in
      guard case .classes(_, labels: .sparse) = outputs[index].loss.outputs, let classes = outputShapes[index].last
      else { return nil }
      return LabelCheck(target: index, classes: classes, output: outputs.count > 1 ? outputs[index].name : nil)
    }
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
    guard !inputs.isEmpty else { throw failure("a sample has no input; it must have at least one") }
    for (index, input) in inputs.enumerated() {
      let subject = inputs.count > 1 ? "inputs[\(index)]" : "an input"
      guard !input.shape.isEmpty, input.shape.allSatisfy({ $0 > 0 }), input.dtype == .float32 || input.dtype == .uint8
      else {
        throw failure("\(subject) is \(input); it must be float32 or uint8 with at least one axis and no empty ones")
      }
    }
    for (index, target) in targets.enumerated() {
      let subject = targets.count > 1 ? "targets[\(index)]" : "a target"
      guard target.dtype == .float32 || target.dtype == .int32, target.shape.allSatisfy({ $0 > 0 }) else {
        throw failure("\(subject) is \(target); it must be float32 or int32 without empty axes")
      }
    }
    guard samplesWorthATask >= 1 else {
      throw failure("samplesWorthATask is \(samplesWorthATask); it must be at least 1")
    }
  }
}
