import ApusCore

extension BackendError {
  /// The error with the batch size that would fit, if memory grows with the batch.
  ///
  /// - Parameter fixedBytes: what is in use whatever the batch size.
  func advising(batchSize: Int, besides fixedBytes: Int = 0) -> BackendError {
    guard code == .outOfMemory, suggestedBatchSize == nil else { return self }
    var result = self
    // Half of what is free: the last, smaller batch has a plan of its own.
    let share = requestedBytes.flatMap { requested in
      limitBytes.map { 0.45 * Double(fixedBytes < $0 ? $0 - fixedBytes : $0) / Double(max(requested, 1)) }
    }
    // Without figures, or when many allocations together were too much, half is worth a try.
    let estimate = batchSize == 1 ? 0 : Int((Double(batchSize) * min(share ?? 0.5, 0.5)).rounded())
    result.suggestedBatchSize = estimate
    result.message +=
      estimate < 1
      ? "; not even one sample fits beside the model: use a smaller model, smaller inputs or another device"
      : "; the batch size was \(batchSize), \(estimate) would fit"
    return result
  }
}
