import ApusCore

/// Sums of the loss and the metrics over the steps of a plan, kept on the device until they are read.
///
/// There is a sum for each place in the batch, so adding a step to them is one elementwise launch; the host adds up the
/// places, in double precision and in order.
final class BatchTotals {
  private let sums: [Parameter]
  private let batchSize: Int
  private let session: any Session
  private var steps = 0

  /// Sums of `terms`, each one number for each sample of the batch.
  init(_ terms: [SampleTerm], names: [String], batchSize: Int, in graph: Graph, session: any Session) {
    self.batchSize = batchSize
    self.session = session
    let zeros = NDArray(zeros: [batchSize])
    sums = names.map { Parameter("total.\($0)", value: zeros, isTrainable: false) }
    var inputs: [Tensor] = []
    var expressions: [Expr] = []
    for (i, term) in terms.enumerated() {
      let slots = term.inputs.indices.map { Expr.input(terms.count + inputs.count + $0) }
      expressions.append(.input(i) + term.expression.substituting(slots))
      inputs += term.inputs
    }
    graph.update(sums, reading: inputs, expressions)
  }

  deinit { for sum in sums { session.release(sum) } }

  func countStep() { steps += 1 }

  /// Sums over all steps since the last reset, and the number of samples; waits for the device.
  func read() throws -> (sums: [Double], samples: Int) {
    guard steps > 0 else { return (sums.map { _ in 0 }, 0) }
    return (try sums.map { try $0.value().doubles.reduce(0, +) }, steps * batchSize)
  }

  func reset() throws {
    guard steps > 0 else { return }
    steps = 0
    for sum in sums { try sum.assign(NDArray(zeros: [batchSize])) }
  }
}
