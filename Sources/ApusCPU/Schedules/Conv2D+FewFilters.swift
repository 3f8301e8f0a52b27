import ApusCore
internal import CThreads
internal import CVector

extension CPUBackend {
  /// The pass of a convolution with few filters; or the input gradient of one with few channels, which is a convolution
  /// with as few filters.
  func fewFilters(
    _ pass: ConvolutionPass, _ sizes: apus_few_filters, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>,
    _ filter: Operand<CPUBuffer>, _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    switch pass {
    case .forward:
      let layout = apus_few_filters_layout(
        data: filter.floats, tap: Int64(shape.c * shape.k), channel: Int64(shape.k), filter: 1, turned: 0)
      return try rows(sizes, layout, shape.n, from: image.floats, to: invocation.output.floats, invocation)
    case .inputGradient:
      let layout = apus_few_filters_layout(
        data: filter.floats, tap: Int64(shape.c * shape.k), channel: 1, filter: Int64(shape.k), turned: 1)
      return try rows(sizes, layout, shape.n, from: result.floats, to: invocation.output.floats, invocation)
    case .filterGradient:
      return try gradient(sizes, shape.n, image.floats, result.floats, invocation)
    }
  }

  private func rows(
    _ sizes: apus_few_filters, _ layout: apus_few_filters_layout, _ count: Int,
    from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>,
    _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    var (sizes, layout) = (sizes, layout)
    let native = NativeEpilogue(withoutAddend: invocation)
    let finish = native == nil ? try epilogueProgram(invocation)?.loop(over: invocation.output.count) : nil
    let (bias, relu): (UnsafeMutablePointer<Float>?, Int32) = (native?.bias, native?.relu ?? false ? 1 : 0)
    let scratch = workScratch
    let filterCount = Int(apus_few_filters_count(&sizes)).roundedUpToLine
    let stride = Int(apus_few_filters_scratch(&sizes)).roundedUpToLine
    try scratch.reserve(
      (filterCount + stride * Int(apus_thread_count())) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let loop = parallelLoop(over: count * Int(sizes.result_height)) { [sizes] rows, part in
      var sizes = sizes
      let filters = scratch.floats(part: 0, stride: 0)
      apus_few_filters_rows(
        &sizes, source, filters, bias, relu, Int64(rows.lowerBound), Int64(rows.upperBound),
        filters + filterCount + part * stride, target)
    }
    return {
      apus_few_filters_lay_out(&sizes, &layout, scratch.floats(part: 0, stride: 0))
      loop()
      finish?()
    }
  }

  private func gradient(
    _ sizes: apus_few_filters, _ count: Int, _ image: UnsafeMutablePointer<Float>,
    _ result: UnsafeMutablePointer<Float>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    var sizes = sizes
    let output = invocation.output
    let finish = try epilogueProgram(invocation)?.loop(over: output.count)
    // A fixed number of partial sums: the result does not depend on the number of threads.
    let rowCount = count * Int(sizes.result_height)
    let parts = min(rowCount, 16)
    let scratch = workScratch
    let sumCount = (parts * output.count).roundedUpToLine
    let stride = Int(apus_few_filters_gradient_scratch(&sizes)).roundedUpToLine
    try scratch.reserve(
      (sumCount + stride * Int(apus_thread_count())) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let loop = parallelLoop(over: parts) { range, part in
      var sizes = sizes
      let sums = scratch.floats(part: 0, stride: 0)
      for index in range {
        apus_few_filters_gradient(
          &sizes, image, result, Int64(rowCount * index / parts), Int64(rowCount * (index + 1) / parts),
          sums + sumCount + part * stride, sums + index * output.count)
      }
    }
    return {
      loop()
      apus_reduce_columns(
        APUS_REDUCE_SUM, scratch.floats(part: 0, stride: 0), Int64(parts), Int64(output.count), output.floats)
      finish?()
    }
  }
}

extension ConvolutionShape {
  /// `nil` for what the loops do not serve, and for smaller windows: sums of the lanes take their time.
  func fewFilters(_ pass: ConvolutionPass) -> apus_few_filters? {
    guard groups == 1, window.strideY == 1, window.strideX == 1, window.dilationY == 1, window.dilationX == 1 else {
      return nil
    }
    var sizes = pass == .inputGradient ? turnedFewFilters : fewFilters
    return apus_few_filters_suits(&sizes) != 0 && r * s * Int(sizes.channels) >= 256 ? sizes : nil
  }

  private var fewFilters: apus_few_filters {
    apus_few_filters(
      height: Int64(h), width: Int64(w), channels: Int64(c), filter_height: Int64(r), filter_width: Int64(s),
      filters: Int64(k), result_height: Int64(p), result_width: Int64(q), top: Int64(window.top),
      left: Int64(window.left))
  }

  /// From the result's gradient to the image's.
  private var turnedFewFilters: apus_few_filters {
    apus_few_filters(
      height: Int64(p), width: Int64(q), channels: Int64(k), filter_height: Int64(r), filter_width: Int64(s),
      filters: Int64(c), result_height: Int64(h), result_width: Int64(w), top: Int64(r - 1 - window.top),
      left: Int64(s - 1 - window.left))
  }
}
