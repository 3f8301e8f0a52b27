import ApusCore
internal import CThreads
internal import CVector

extension CPUBackend {
  /// A convolution of images with few channels, row by row of results.
  func fewChannels(
    _ sizes: apus_few_channels, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
    _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    var sizes = sizes
    let native = NativeEpilogue(withoutAddend: invocation)
    let epilogue = native == nil ? try epilogueProgram(invocation) : nil
    let scratch = workScratch
    let stride = Int(apus_few_channels_scratch(&sizes)).roundedUpToLine
    try scratch.reserve(
      stride * Int(apus_thread_count()) * MemoryLayout<Float>.stride, limit: device.memoryBytes)
    let (x, w, y) = (image.floats, filter.floats, result.floats)
    let (imageCount, rowCount) = (shape.h * shape.w * shape.c, shape.q * shape.k)
    let (bias, relu): (UnsafeMutablePointer<Float>?, Int32) = (native?.bias, native?.relu ?? false ? 1 : 0)
    return parallelLoop(over: shape.n * shape.p) { [sizes] rows, part in
      var sizes = sizes
      let own = scratch.floats(part: part, stride: stride)
      for row in rows {
        apus_few_channels_row(
          &sizes, x + row / shape.p * imageCount, w, bias, relu, Int64(row % shape.p), own, y + row * rowCount)
        epilogue?.run((row * rowCount)..<((row + 1) * rowCount), part: part)
      }
    }
  }
}

extension ConvolutionShape {
  /// With larger windows or more filters oneDNN was measured to be faster: `nil`, as for other passes.
  func fewChannels(_ pass: ConvolutionPass) -> apus_few_channels? {
    guard pass == .forward, c <= 4, r * s * c <= 36, groups == 1, window.dilationY == 1, window.dilationX == 1 else {
      return nil
    }
    var sizes = apus_few_channels(
      height: Int64(h), width: Int64(w), channels: Int64(c), filter_height: Int64(r), filter_width: Int64(s),
      filters: Int64(k), result_height: Int64(p), result_width: Int64(q), stride_y: Int64(window.strideY),
      stride_x: Int64(window.strideX), top: Int64(window.top), left: Int64(window.left))
    return apus_few_channels_suits(&sizes) == 0 ? nil : sizes
  }
}
