import ApusCore
internal import CVector

extension CPUBackend {
  /// Maximum or mean of each window: rows of results on all threads.
  func pool2D(
    _ attributes: Pool2DAttributes, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let shape = PoolShape(attributes, image: invocation.inputs[0].shape, result: invocation.output.shape)
    let (x, y) = (invocation.inputs[0].floats, invocation.output.floats)
    let epilogue = try epilogueProgram(invocation)
    let rowCount = shape.q * shape.c
    let minimumRows = shape.rowsWorthAThread
    return parallelLoop(over: shape.n * shape.p, minimum: minimumRows) { rows, part in
      for row in rows {
        let (n, p) = (row / shape.p, row % shape.p)
        shape.forEachRun(p) { q, windows in
          let source = x + shape.imageIndex(n, shape.rows(p).lowerBound, shape.columns(q).lowerBound, 0)
          let target = y + shape.resultIndex(n, p, q, 0)
          switch attributes.kind {
          case .max: apus_pool_maximum(&windows, source, target)
          case .average, .averageIncludingPadding:
            apus_pool_mean(&windows, source, 1 / Float(shape.divisor(p, q)), target)
          }
        }
        epilogue?.run((row * rowCount)..<((row + 1) * rowCount), part: part)
      }
    }
  }

  /// The gradient of a pooling. Windows that lie side by side write their cells once, row by row of windows; others add
  /// up, image by image.
  func pool2DGradient(
    _ attributes: Pool2DAttributes, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let shape = PoolShape(attributes, image: invocation.inputs[0].shape, result: invocation.inputs[1].shape)
    let epilogue = try epilogueProgram(invocation)
    let pass = PoolGradient(
      shape: shape, x: invocation.inputs[0].floats, y: invocation.inputs[1].floats, dy: invocation.inputs[2].floats,
      dx: invocation.output.floats)
    let imageCount = shape.h * shape.w * shape.c
    if shape.isTiling {
      let bandCount = attributes.height * shape.w * shape.c
      return parallelLoop(over: shape.n * shape.p, minimum: shape.rowsWorthAThread) { rows, part in
        for row in rows {
          let (n, p) = (row / shape.p, row % shape.p)
          let first = n * imageCount + p * bandCount
          // The last band of an image takes the rows that no window covers.
          let end = p == shape.p - 1 ? (n + 1) * imageCount : first + bandCount
          if attributes.kind != .max || shape.w > shape.q * attributes.width || end > first + bandCount {
            (pass.dx + first).update(repeating: 0, count: end - first)
          }
          pass.addRow(n, p)
          epilogue?.run(first..<end, part: part)
        }
      }
    }
    return parallelLoop(over: shape.n) { images, part in
      for n in images {
        (pass.dx + n * imageCount).update(repeating: 0, count: imageCount)
        for p in 0..<shape.p { pass.addRow(n, p) }
        epilogue?.run((n * imageCount)..<((n + 1) * imageCount), part: part)
      }
    }
  }
}

/// The gradient's operands.
private struct PoolGradient {
  let shape: PoolShape
  let x: UnsafeMutablePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let dy: UnsafeMutablePointer<Float>
  let dx: UnsafeMutablePointer<Float>

  /// Gives the gradients of one row of windows to their cells.
  func addRow(_ n: Int, _ p: Int) {
    shape.forEachRun(p) { q, windows in
      let image = shape.imageIndex(n, shape.rows(p).lowerBound, shape.columns(q).lowerBound, 0)
      let result = shape.resultIndex(n, p, q, 0)
      switch shape.attributes.kind {
      case .max:
        apus_pool_maximum_gradient(&windows, x + image, y + result, dy + result, dx + image, shape.isTiling ? 1 : 0)
      case .average, .averageIncludingPadding:
        apus_pool_mean_gradient(&windows, dy + result, 1 / Float(shape.divisor(p, q)), dx + image)
      }
    }
  }
}

extension PoolShape {
  /// Whether windows cover each cell at most once, without gaps or padding.
  fileprivate var isTiling: Bool {
    let window = attributes.window
    return window.strideY == attributes.height && window.strideX == attributes.width
      && window.top == 0 && window.left == 0 && window.bottom == 0 && window.right == 0
  }

  /// Rows of windows that read enough of the image to be worth a thread.
  fileprivate var rowsWorthAThread: Int { max(1, 16384 / max(1, attributes.height * w * c)) }

  /// Calls `body(q, windows)` for each longest run of windows of row `p` that cover equally many columns; the run
  /// starts at window `q`.
  fileprivate func forEachRun(_ p: Int, _ body: (Int, inout apus_windows) -> Void) {
    var first = 0
    while first < q {
      let columns = columns(first)
      var end = first + 1
      // Windows cut at the left edge do not move by a full step.
      let isWhole = columns.count == attributes.width
      while isWhole, end < q, self.columns(end).count == attributes.width { end += 1 }
      var windows = apus_windows(
        count: Int64(end - first), rows: Int64(rows(p).count), columns: Int64(columns.count), channels: Int64(c),
        row_stride: Int64(w * c), step: Int64(attributes.window.strideX * c))
      body(first, &windows)
      first = end
    }
  }
}

extension Pooling: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    isGradient ? try backend.pool2DGradient(pooling, invocation) : try backend.pool2D(pooling, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    isGradient ? invocation.referencePool2DGradient(pooling) : invocation.referencePool2D(pooling)
  }
}
