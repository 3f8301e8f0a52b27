import ApusCore
internal import CThreads
internal import CVector

extension CPUBackend {
  /// A pass of a depthwise convolution of `images` images with full vectors for any number of channels.
  func depthwise(
    _ pass: ConvolutionPass, _ sizes: apus_depthwise, _ images: Int, _ image: Operand<CPUBuffer>,
    _ filter: Operand<CPUBuffer>, _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    switch pass {
    case .forward: try depthwise(sizes, images, from: image, by: filter, isTurned: false, to: result, invocation)
    // From the result's gradient to the image's, by the filter turned by 180 degrees.
    case .inputGradient: try depthwise(sizes, images, from: result, by: filter, isTurned: true, to: image, invocation)
    case .filterGradient: try depthwiseFilterGradient(sizes, images, image, result, filter, invocation)
    }
  }

  private func depthwise(
    _ sizes: apus_depthwise, _ images: Int, from source: Operand<CPUBuffer>, by filter: Operand<CPUBuffer>,
    isTurned: Bool, to target: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    var sizes = sizes
    let native = NativeEpilogue(withoutAddend: invocation)
    let epilogue = native == nil ? try epilogueProgram(invocation) : nil
    let filterCount = Int(apus_depthwise_filter_count(&sizes)).roundedUpToLine
    let stride = Int(apus_depthwise_scratch(&sizes)).roundedUpToLine
    let scratch = workScratch
    try scratch.reserve(
      (filterCount + stride * Int(apus_thread_count())) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let (x, w, y) = (source.floats, filter.floats, target.floats)
    let (relu, bias): (Int32, UnsafeMutablePointer<Float>?) = (native?.relu ?? false ? 1 : 0, native?.bias)
    let bands = DepthwiseBands(sizes, images: images)
    let (imageCount, rowCount) = (sizes.imageCount, Int(sizes.result_width * sizes.channels))
    let loop = parallelLoop(over: bands.count) { [sizes] range, part in
      var sizes = sizes
      let laidOut = scratch.floats(part: 0, stride: 0)
      let own = laidOut + filterCount + part * stride
      for band in range {
        let (image, rows) = bands[band]
        let first = image * bands.height * rowCount
        apus_depthwise_forward(
          &sizes, x + image * imageCount, laidOut, relu, Int64(rows.lowerBound), Int64(rows.count), own, y + first)
        epilogue?.run((first + rows.lowerBound * rowCount)..<(first + rows.upperBound * rowCount), part: part)
      }
    }
    return { [sizes] in
      var sizes = sizes
      apus_depthwise_lay_out(&sizes, w, isTurned ? 1 : 0, bias, scratch.floats(part: 0, stride: 0))
      loop()
    }
  }

  private func depthwiseFilterGradient(
    _ sizes: apus_depthwise, _ images: Int, _ image: Operand<CPUBuffer>, _ gradient: Operand<CPUBuffer>,
    _ filter: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    var sizes = sizes
    let finish = try epilogueProgram(invocation)?.loop(over: filter.count)
    let sumCount = Int(apus_depthwise_sum_count(&sizes))
    let stride = Int(apus_depthwise_scratch(&sizes)).roundedUpToLine
    let bands = DepthwiseBands(sizes, images: images)
    // A fixed number of partial sums: the result does not depend on the number of threads.
    let parts = min(16, bands.count)
    // Sums of about 256 pixels of a row join the others: many sums added up keep more digits than one long one.
    let step = max(1, 256 / Int(sizes.result_width))
    let scratch = workScratch
    try scratch.reserve((2 * sumCount + stride) * parts * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let (x, dy, dw) = (image.floats, gradient.floats, filter.floats)
    let (imageCount, gradientCount) = (sizes.imageCount, bands.height * Int(sizes.result_width * sizes.channels))
    let loop = parallelLoop(over: parts) { [sizes] range, _ in
      var sizes = sizes
      let sums = scratch.floats(part: 0, stride: 0)
      for part in range {
        let own = sums + part * sumCount
        let lines = sums + parts * sumCount + part * (stride + sumCount)
        let latest = lines + stride
        own.update(repeating: 0, count: sumCount)
        latest.update(repeating: 0, count: sumCount)
        let (first, end) = (bands.count * part / parts, bands.count * (part + 1) / parts)
        for band in first..<end {
          let (image, rows) = bands[band]
          apus_depthwise_accumulate(
            &sizes, x + image * imageCount, dy + image * gradientCount, Int64(rows.lowerBound), Int64(rows.count),
            lines, latest)
          guard (band + 1 - first) % step == 0 || band == end - 1 else { continue }
          apus_accumulate(latest, own, Int64(sumCount))
          latest.update(repeating: 0, count: sumCount)
        }
      }
    }
    return { [sizes] in
      var sizes = sizes
      loop()
      apus_depthwise_finish(&sizes, scratch.floats(part: 0, stride: 0), Int64(parts), dw)
      finish?()
    }
  }
}

/// Rows of all results in bands, which are worked on one after the other.
private struct DepthwiseBands {
  let height: Int
  private let images, perImage: Int

  init(_ sizes: apus_depthwise, images: Int) {
    var sizes = sizes
    self.images = images
    height = Int(sizes.result_height)
    let most = Int(apus_depthwise_most_rows(&sizes))
    perImage = (height + most - 1) / most
  }

  var count: Int { images * perImage }

  subscript(band: Int) -> (image: Int, rows: Range<Int>) {
    let index = band % perImage
    return (band / perImage, (height * index / perImage)..<(height * (index + 1) / perImage))
  }
}

extension ConvolutionShape {
  /// Of the input gradient, from the result's gradient to the image's; `nil` for what the loops do not serve.
  func depthwise(_ pass: ConvolutionPass) -> apus_depthwise? {
    let forward = depthwise(
      height: h, width: w, resultHeight: p, resultWidth: q, top: window.top, left: window.left)
    if forward == nil || pass != .inputGradient { return forward }
    return depthwise(
      height: p, width: q, resultHeight: h, resultWidth: w, top: r - 1 - window.top, left: s - 1 - window.left)
  }

  private func depthwise(
    height: Int, width: Int, resultHeight: Int, resultWidth: Int, top: Int, left: Int
  ) -> apus_depthwise? {
    guard c == groups, k == groups, r == s,
      [window.strideX, window.strideY, window.dilationX, window.dilationY].allSatisfy({ $0 == 1 })
    else { return nil }
    var sizes = apus_depthwise(
      height: Int64(height), width: Int64(width), channels: Int64(c), result_height: Int64(resultHeight),
      result_width: Int64(resultWidth), window: Int64(r), top: Int64(top), left: Int64(left))
    return apus_depthwise_suits(&sizes) == 0 ? nil : sizes
  }
}

extension apus_depthwise {
  fileprivate var imageCount: Int { Int(height * width * channels) }
}
