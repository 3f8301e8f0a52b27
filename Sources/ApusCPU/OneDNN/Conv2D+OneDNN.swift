#if OneDNN
  import ApusCore
  internal import COneDNN

  extension CPUBackend {
    /// A convolution pass in oneDNN, with bias and ReLU where the epilogue is no more than these; any other epilogue
    /// runs over the result afterwards.
    func convolution(
      _ pass: ConvolutionPass, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
      _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
    ) throws(BackendError) -> CPUKernel.Body {
      let native = pass == .forward ? NativeEpilogue(invocation) : nil
      let window = shape.window
      let sizes = apus_convolution(
        pass: pass.code, images: Int64(shape.n), height: Int64(shape.h), width: Int64(shape.w),
        channels: Int64(shape.c), filter_height: Int64(shape.r), filter_width: Int64(shape.s),
        filters: Int64(shape.k), result_height: Int64(shape.p), result_width: Int64(shape.q),
        groups: Int64(shape.groups), stride: (Int64(window.strideY), Int64(window.strideX)),
        dilation: (Int64(window.dilationY), Int64(window.dilationX)),
        padding_before: (Int64(window.top), Int64(window.left)),
        padding_after: (Int64(window.bottom), Int64(window.right)), relu: native?.relu ?? false)
      let primitive = try library().convolution(
        sizes, image: image.floats, filter: filter.floats, bias: native?.bias, result: result.floats,
        label: invocation.description)
      let epilogue = native == nil ? try epilogueProgram(invocation) : nil
      return try body(primitive, then: epilogue, over: invocation.output.count)
    }

    /// Runs the primitive, then the epilogue in place.
    func body(
      _ primitive: OneDNNPrimitive, then epilogue: TileProgram?, over count: Int
    ) throws(BackendError) -> CPUKernel.Body {
      let scratch = workScratch
      try scratch.reserve(primitive.scratchByteCount, limit: device.memoryBytes)
      let finish = epilogue?.loop(over: count)
      return { () throws(BackendError) in
        try primitive.run(scratch.base)
        finish?()
      }
    }
  }

  extension ConvolutionPass {
    fileprivate var code: apus_convolution_pass {
      switch self {
      case .forward: APUS_CONVOLUTION_FORWARD
      case .inputGradient: APUS_CONVOLUTION_INPUT_GRADIENT
      case .filterGradient: APUS_CONVOLUTION_FILTER_GRADIENT
      }
    }
  }
#endif
