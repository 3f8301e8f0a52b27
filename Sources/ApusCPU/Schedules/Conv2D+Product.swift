import ApusCore
internal import CThreads
internal import CVector

extension CPUBackend {
  /// A convolution pass as matrix products: image cells under each window are laid out as a row (im2col), a few rows
  /// at a time so that they stay in the cache.
  func convolutionAsProducts(
    _ pass: ConvolutionPass, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
    _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let product = ConvolutionProduct(
      shape: shape, image: image.floats, filter: filter.floats, result: result.floats)
    let gemmCount = Int(apus_gemm_scratch())
    let stride = (gemmCount + product.blockRows * product.windowSize).roundedUpToLine
    let scratch = workScratch
    try scratch.reserve(
      stride * Int(apus_thread_count()) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let epilogue = try epilogueProgram(invocation)
    let finish = epilogue?.loop(over: invocation.output.count)
    switch pass {
    case .forward:
      let loop = parallelLoop(over: product.blocks) { range, part in
        let own = scratch.floats(part: part, stride: stride)
        for block in range { product.forward(block, own, columns: own + gemmCount) }
      }
      return {
        loop()
        finish?()
      }
    case .inputGradient:
      let loop = parallelLoop(over: shape.n) { range, part in
        let own = scratch.floats(part: part, stride: stride)
        for n in range { product.inputGradient(image: n, own, columns: own + gemmCount) }
      }
      return {
        loop()
        finish?()
      }
    case .filterGradient:
      // A fixed number of partial sums: the result does not depend on the number of threads.
      let parts = min(product.blocks, 16)
      let filterCount = filter.count
      let partial = try allocate(parts * filterCount * MemoryLayout<Float>.stride)
      let partials = partial.base.assumingMemoryBound(to: Float.self)
      let loop = parallelLoop(over: parts) { range, part in
        let own = scratch.floats(part: part, stride: stride)
        for index in range {
          let target = partials + index * filterCount
          target.update(repeating: 0, count: filterCount)
          for block in (product.blocks * index / parts)..<(product.blocks * (index + 1) / parts) {
            product.filterGradient(block, into: target, own, columns: own + gemmCount)
          }
        }
      }
      return {
        loop()
        withExtendedLifetime(partial) {
          apus_reduce_columns(APUS_REDUCE_SUM, partials, Int64(parts), Int64(filterCount), filter.floats)
        }
        finish?()
      }
    }
  }
}

/// A convolution's arrays, cut into blocks of whole rows of windows.
private struct ConvolutionProduct {
  let shape: ConvolutionShape
  let image: UnsafeMutablePointer<Float>
  let filter: UnsafeMutablePointer<Float>
  let result: UnsafeMutablePointer<Float>

  /// Cells under one window, in one group.
  var windowSize: Int { shape.r * shape.s * shape.groupC }
  /// Rows of windows of a block: so many that the laid out cells take about a quarter of a megabyte.
  private var blockHeight: Int { max(1, min(shape.p, 65536 / max(1, shape.q * windowSize))) }
  /// Windows of a block.
  var blockRows: Int { blockHeight * shape.q }
  private var blocksPerImage: Int { (shape.p + blockHeight - 1) / blockHeight }
  var blocks: Int { shape.n * blocksPerImage }

  private func place(of block: Int) -> (n: Int, rows: Range<Int>) {
    let first = block % blocksPerImage * blockHeight
    return (block / blocksPerImage, first..<min(first + blockHeight, shape.p))
  }

  /// `[windowSize, K / groups]` of group `g`.
  private func filterMatrix(_ base: UnsafeMutablePointer<Float>, _ g: Int) -> apus_matrix {
    apus_matrix(data: base + g * shape.groupK, row: Int64(shape.k), column: 1)
  }

  /// `[windows, K / groups]` of group `g`.
  private func resultMatrix(_ n: Int, _ p: Int, _ g: Int) -> apus_matrix {
    apus_matrix(
      data: result + (n * shape.p + p) * shape.q * shape.k + g * shape.groupK, row: Int64(shape.k), column: 1)
  }

  private func columnMatrix(_ columns: UnsafeMutablePointer<Float>) -> apus_matrix {
    apus_matrix(data: columns, row: Int64(windowSize), column: 1)
  }

  func forward(_ block: Int, _ scratch: UnsafeMutablePointer<Float>, columns: UnsafeMutablePointer<Float>) {
    let (n, rows) = place(of: block)
    for g in 0..<shape.groups {
      layOut(n, rows, g, columns)
      apus_gemm(
        Int64(rows.count * shape.q), Int64(shape.groupK), Int64(windowSize), columnMatrix(columns),
        filterMatrix(filter, g), resultMatrix(n, rows.lowerBound, g), 0, scratch)
    }
  }

  func inputGradient(
    image n: Int, _ scratch: UnsafeMutablePointer<Float>, columns: UnsafeMutablePointer<Float>
  ) {
    let imageCount = shape.h * shape.w * shape.c
    (image + n * imageCount).update(repeating: 0, count: imageCount)
    for block in (n * blocksPerImage)..<((n + 1) * blocksPerImage) {
      let rows = place(of: block).rows
      for g in 0..<shape.groups {
        let transposed = apus_matrix(
          data: filter + g * shape.groupK, row: 1, column: Int64(shape.k))
        apus_gemm(
          Int64(rows.count * shape.q), Int64(windowSize), Int64(shape.groupK),
          resultMatrix(n, rows.lowerBound, g), transposed, columnMatrix(columns), 0, scratch)
        addBack(n, rows, g, columns)
      }
    }
  }

  func filterGradient(
    _ block: Int, into target: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
    columns: UnsafeMutablePointer<Float>
  ) {
    let (n, rows) = place(of: block)
    for g in 0..<shape.groups {
      layOut(n, rows, g, columns)
      let transposed = apus_matrix(data: columns, row: 1, column: Int64(windowSize))
      apus_gemm(
        Int64(windowSize), Int64(shape.groupK), Int64(rows.count * shape.q), transposed,
        resultMatrix(n, rows.lowerBound, g), filterMatrix(target, g), 1, scratch)
    }
  }

  /// Calls `body(cells, pixels, count)` for runs of the laid out rows of the windows `rows`: `count` floats that lie
  /// side by side in the image too, or (`nil`) in the padding.
  private func forEachRun(
    _ n: Int, _ rows: Range<Int>, _ g: Int, _ columns: UnsafeMutablePointer<Float>,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>?, Int) -> Void
  ) {
    let window = shape.window
    let count = shape.groupC
    // Neighbouring cells of a filter row are neighbours in the image: one run instead of many.
    let joins = window.dilationX == 1 && shape.groups == 1
    var cells = columns
    for p in rows {
      for q in 0..<shape.q {
        for r in 0..<shape.r {
          let h = p * window.strideY + r * window.dilationY - window.top
          let first = q * window.strideX - window.left
          let line = image + (n * shape.h + h) * shape.w * shape.c + g * count
          if h < 0 || h >= shape.h {
            body(cells, nil, shape.s * count)
          } else if joins {
            let (start, end) = (max(0, -first), max(0, min(shape.s, shape.w - first)))
            if start > 0 { body(cells, nil, min(start, shape.s) * count) }
            if start < end { body(cells + start * count, line + (first + start) * count, (end - start) * count) }
            if end < shape.s, end >= start { body(cells + end * count, nil, (shape.s - end) * count) }
          } else {
            for s in 0..<shape.s {
              let w = first + s * window.dilationX
              body(cells + s * count, w >= 0 && w < shape.w ? line + w * shape.c : nil, count)
            }
          }
          cells += shape.s * count
        }
      }
    }
  }

  private func layOut(_ n: Int, _ rows: Range<Int>, _ g: Int, _ columns: UnsafeMutablePointer<Float>) {
    forEachRun(n, rows, g, columns) { cells, pixels, count in
      if let pixels {
        for i in 0..<count { cells[i] = pixels[i] }
      } else {
        for i in 0..<count { cells[i] = 0 }
      }
    }
  }

  private func addBack(_ n: Int, _ rows: Range<Int>, _ g: Int, _ columns: UnsafeMutablePointer<Float>) {
    forEachRun(n, rows, g, columns) { cells, pixels, count in
      guard let pixels else { return }
      for i in 0..<count { pixels[i] += cells[i] }
    }
  }
}
