import ApusCore

extension Reduction {
  /// Sum, mean or maximum over the reduced axes, for each index of the others.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let shape = invocation.inputs[0].shape
    let all = View(shape)
    let (kept, folded) = (all.axes(shape.indices.filter { !axes.contains($0) }), all.axes(axes))
    let foldCount = folded.sizes.elementCount
    let (x, y) = (Elements(invocation.inputs[0]), Elements(invocation.output))
    return {
      for target in 0..<kept.sizes.elementCount {
        let first = kept.element(target)
        let values = (0..<foldCount).lazy.map { x[first + folded.element($0)] }
        switch kind {
        case .sum: y[target] = values.reduce(0, +)
        case .mean: y[target] = values.reduce(0, +) / Double(foldCount)
        case .max: y[target] = values.reduce(-.infinity) { Numerics.isGreater($1, than: $0) ? $1 : $0 }
        }
      }
    }
  }
}

extension ArgMax {
  /// Index of the first maximum along `axis`.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let shape = invocation.inputs[0].shape
    let inner = shape[(axis + 1)...].reduce(1, *)
    let length = shape[axis]
    let (x, y) = (Elements(invocation.inputs[0]), Elements(invocation.output))
    let count = invocation.output.count
    return {
      for target in 0..<count {
        let first = target / inner * inner * length + target % inner
        var best = 0
        for i in 0..<length {
          if Numerics.isGreater(x[first + i * inner], than: x[first + best * inner]) { best = i }
        }
        y[target] = Double(best)
      }
    }
  }
}
