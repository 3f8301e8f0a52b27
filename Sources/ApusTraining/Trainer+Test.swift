public import ApusData

extension Trainer {
  /// Evaluates on pictures that training has not seen, and notes the result in the history.
  @discardableResult
  public func test(_ data: some Dataset, batchSize: Int = 32) throws -> Evaluation {
    let result = try evaluate(data, batchSize: batchSize)
    history.test = result
    return result
  }
}
