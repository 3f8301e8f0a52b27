import ApusCore

extension Invocation<CPUBuffer> {
  /// `y[b, ...] = x[indices[b], ...]`; zeros for an index out of range.
  func referenceGather() -> () -> Void {
    let rows = inputs[0].shape[0]
    let width = inputs[0].shape.dropFirst().reduce(1, *)
    let batch = inputs[1].count
    let (x, indices, y) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for b in 0..<batch {
        let row = Int(indices[b])
        let exists = row >= 0 && row < rows
        for i in 0..<width { y[b * width + i] = exists ? x[row * width + i] : 0 }
      }
    }
  }

  /// Each row of the table gets the sum of the gradients of the rows gathered from it.
  func referenceGatherGradient() -> () -> Void {
    let rows = output.shape[0]
    let width = output.shape.dropFirst().reduce(1, *)
    let batch = inputs[1].count
    let (dy, indices, dx) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      var sums = [Double](repeating: 0, count: rows * width)
      for b in 0..<batch {
        let row = Int(indices[b])
        guard row >= 0, row < rows else { continue }
        for i in 0..<width { sums[row * width + i] += dy[b * width + i] }
      }
      for (index, sum) in sums.enumerated() { dx[index] = sum }
    }
  }
}
