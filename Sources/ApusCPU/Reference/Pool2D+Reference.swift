import ApusCore

extension Invocation<CPUBuffer> {
  /// Maximum or mean of each window.
  func referencePool2D(_ attributes: Pool2DAttributes) -> () -> Void {
    let shape = PoolShape(attributes, image: inputs[0].shape, result: output.shape)
    let (x, y) = (Elements(inputs[0]), Elements(output))
    return {
      shape.forEachWindow { n, p, q, c in
        let target = shape.resultIndex(n, p, q, c)
        switch attributes.kind {
        case .max: y[target] = x[shape.firstMaximum(of: x, n, p, q, c)]
        case .average, .averageIncludingPadding:
          var sum = 0.0
          shape.forEachCell(p, q) { h, w in sum += x[shape.imageIndex(n, h, w, c)] }
          y[target] = sum / Double(shape.divisor(p, q))
        }
      }
    }
  }

  /// A maximum's gradient goes to the first one of its window in row-major order, a mean's to all cells.
  func referencePool2DGradient(_ attributes: Pool2DAttributes) -> () -> Void {
    let shape = PoolShape(attributes, image: inputs[0].shape, result: inputs[1].shape)
    let (x, dy, dx) = (Elements(inputs[0]), Elements(inputs[2]), Elements(output))
    let count = output.count
    return {
      var sums = [Double](repeating: 0, count: count)
      shape.forEachWindow { n, p, q, c in
        let gradient = dy[shape.resultIndex(n, p, q, c)]
        switch attributes.kind {
        case .max: sums[shape.firstMaximum(of: x, n, p, q, c)] += gradient
        case .average, .averageIncludingPadding:
          let share = gradient / Double(shape.divisor(p, q))
          shape.forEachCell(p, q) { h, w in sums[shape.imageIndex(n, h, w, c)] += share }
        }
      }
      for (index, sum) in sums.enumerated() { dx[index] = sum }
    }
  }
}

extension PoolShape {
  func forEachWindow(_ body: (Int, Int, Int, Int) -> Void) {
    for n in 0..<n { for p in 0..<p { for q in 0..<q { for c in 0..<c { body(n, p, q, c) } } } }
  }

  func forEachCell(_ p: Int, _ q: Int, _ body: (Int, Int) -> Void) {
    for h in rows(p) { for w in columns(q) { body(h, w) } }
  }

  /// Index of the window's first maximum in row-major order.
  func firstMaximum(of x: Elements, _ n: Int, _ p: Int, _ q: Int, _ c: Int) -> Int {
    var best = imageIndex(n, rows(p).lowerBound, columns(q).lowerBound, c)
    forEachCell(p, q) { h, w in
      let index = imageIndex(n, h, w, c)
      if Numerics.isGreater(x[index], than: x[best]) { best = index }
    }
    return best
  }
}
