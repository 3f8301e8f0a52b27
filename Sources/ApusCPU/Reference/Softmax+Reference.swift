import ApusCore

extension SoftmaxKind {
  /// Softmax or its logarithm along the last axis, shifted by the maximum so that nothing overflows.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let classes = invocation.inputs[0].shape.last ?? 1
    let rows = invocation.inputs[0].count / classes
    let (x, y) = (Elements(invocation.inputs[0]), Elements(invocation.output))
    return {
      for row in 0..<rows {
        let first = row * classes
        let (maximum, logSum) = logSumExp(x, first, classes)
        for c in first..<(first + classes) {
          switch self {
          case .softmax: y[c] = exponential((x[c] - maximum) - logSum)
          case .logSoftmax: y[c] = (x[c] - maximum) - logSum
          }
        }
      }
    }
  }
}

/// The maximum `m` of a row and `log(sum of exp(x[first + c] - m))`, apart: their sum would round the second away.
func logSumExp(_ x: Elements, _ first: Int, _ count: Int) -> (maximum: Double, logSum: Double) {
  var maximum = -Double.infinity
  for c in first..<(first + count) { maximum = max(maximum, x[c]) }
  var sum = 0.0
  for c in first..<(first + count) { sum += exponential(x[c] - maximum) }
  return (maximum, logarithm(sum))
}
