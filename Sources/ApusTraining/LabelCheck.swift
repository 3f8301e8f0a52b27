import ApusCore

/// Targets that are class numbers of an output: a label without a class is an error.
struct LabelCheck: Sendable {
  /// Which of the targets they are.
  let target: Int
  let classes: Int
  /// The output's name, where there are several.
  let output: String?

  /// The first label that is no class, and its sample.
  ///
  /// - Parameters:
  ///   - labels: int32, equally many of each sample.
  ///   - samples: whose they are.
  func stray(in labels: UnsafeRawBufferPointer, of samples: Range<Int>) -> (label: Int, index: Int)? {
    let labels = labels.bindMemory(to: Int32.self)
    guard let first = labels.firstIndex(where: { !Numerics.isClass($0, of: classes) }) else { return nil }
    return (Int(labels[first]), samples.lowerBound + first / (labels.count / samples.count))
  }

  func error(_ stray: (label: Int, index: Int), in data: String) -> TrainingError {
    let (place, owner) = output.map { (" of targets[\(target)]", "its output '\($0)'") } ?? ("", "the model")
    return TrainingError(
      .badData, at: data,
      "label \(stray.label) at index \(stray.index)\(place), but \(owner) has \(classes) outputs: labels run from 0 to "
        + "\(classes - 1); give the last layer more units or correct the label")
  }
}
