import ApusCore
import ApusData
import ApusNN

extension Trainer {
  /// Data sets that keep their steps and their place: training, validation, test, and one more.
  private static let placedLimit = 4

  /// The arrays in their place, checked against model and loss; the same arrays are uploaded at most once and stay
  /// until others have been used since.
  func place(_ inputs: NDArray, _ targets: NDArray, name: String) throws -> any TrainingData {
    let known = placed.first { data in
      (dataPlacement == .automatic || dataPlacement == data.placement)
        && (data.source as? ArraySource)?.holds(inputs, targets) == true
    }
    if let known {
      try prepare(inputShape: known.source.input.shape)
      return known
    }
    let source = try ArraySource(inputs: inputs, targets: targets, name: name)
    try prepare(inputShape: source.input.shape)
    if case .classes(_, labels: .sparse) = loss.outputs, let classes = outputShape.last,
      let stray = source.strayLabel(classes: classes)
    {
      throw TrainingError(
        .badData, at: name,
        "label \(stray.label) at index \(stray.index), but the model has \(classes) outputs: labels run from 0 to "
          + "\(classes - 1); give the last layer more units or correct the label")
    }
    let fits = DataPlacement.fits(
      [inputs.byteCount, targets.byteCount], on: session.device, used: session.allocatedBytes)
    if dataPlacement == .host || (dataPlacement == .automatic && !fits) {
      return kept(StreamedData(source, name: name))
    }
    return try naming("the \(source.count) samples of '\(name)'") {
      kept(try ResidentData(source, name: name, session: session))
    }
  }

  /// Samples that are not in memory as a whole; they are always streamed.
  func place(_ source: any SampleSource, name: String) throws -> any TrainingData {
    try prepare(inputShape: source.input.shape)
    return kept(StreamedData(source, name: name))
  }

  /// Notes that `data` is in use; the data that was not used for longest gives back its memory.
  @discardableResult
  func kept(_ data: any TrainingData) -> any TrainingData {
    placed.removeAll { $0 === data }
    placed.append(data)
    guard placed.count > Self.placedLimit else { return data }
    let oldest = placed.removeFirst()
    steps.removeAll { $0.data == ObjectIdentifier(oldest) }
    oldest.release(from: session)
    return data
  }
}
