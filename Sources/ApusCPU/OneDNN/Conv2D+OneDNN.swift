#if OneDNN
  import ApusCore
  internal import COneDNN
  internal import CVector

  extension CPUBackend {
    /// A convolution pass in oneDNN, with bias, residual sum and ReLU where the epilogue is no more than these; any other
    /// epilogue runs over the result afterwards.
    func nativeConvolution(
      _ pass: ConvolutionPass, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
      _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
    ) throws(BackendError) -> CPUKernel.Body {
      let native = pass == .forward ? NativeEpilogue(invocation) : nil
      let filterVersion = pass == .filterGradient ? nil : invocation.versions[1]
      let window = shape.window
      let sizes = apus_convolution(
        pass: pass.code, images: Int64(shape.n), height: Int64(shape.h), width: Int64(shape.w),
        channels: Int64(shape.c), filter_height: Int64(shape.r), filter_width: Int64(shape.s),
        filters: Int64(shape.k), result_height: Int64(shape.p), result_width: Int64(shape.q),
        groups: Int64(shape.groups), stride: (Int64(window.strideY), Int64(window.strideX)),
        dilation: (Int64(window.dilationY), Int64(window.dilationX)),
        padding_before: (Int64(window.top), Int64(window.left)),
        padding_after: (Int64(window.bottom), Int64(window.right)), accumulates: native?.addend != nil,
        relu: native?.relu ?? false, keeps_filter: filterVersion != nil)
      let primitive = try library().convolution(
        sizes, image: image.floats, filter: filter.floats, bias: native?.bias, result: result.floats,
        label: invocation.description)
      let epilogue = native == nil ? try epilogueProgram(invocation) : nil
      let main = try body(primitive, filterVersion: filterVersion, then: epilogue, over: invocation.output.count)
      guard let addend = native?.addend, addend != result.floats else { return main }
      // The sum goes where the addend lies; here that is needed later.
      let copy = parallelLoop(over: result.count, grain: 1024, minimum: 65536) { range, _ in
        (result.floats + range.lowerBound).update(from: addend + range.lowerBound, count: range.count)
      }
      return { () throws(BackendError) in
        copy()
        try main()
      }
    }

    /// The filter gradient, one image at a time.
    func imageByImage(
      _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
      _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
    ) throws(BackendError) -> CPUKernel.Body {
      var part = shape
      part.n = 1
      let sum = try allocate(filter.count * MemoryLayout<Float>.stride)
      var own = invocation
      (own.epilogue, own.epilogueInputs) = (nil, [])
      var parts: [CPUKernel.Body] = []
      for index in 0..<shape.n {
        func operand(_ all: Operand<CPUBuffer>) throws(BackendError) -> Operand<CPUBuffer> {
          let bytes = all.count / shape.n * MemoryLayout<Float>.stride
          return Operand(
            buffer: try slice(all.buffer, (index * bytes)..<((index + 1) * bytes)),
            type: TensorType(shape: [1] + all.shape.dropFirst(), dtype: .float32))
        }
        let target = index == 0 ? filter : Operand(buffer: sum, type: filter.type)
        parts.append(
          try nativeConvolution(.filterGradient, part, try operand(image), target, try operand(result), own))
      }
      let add = parallelLoop(over: filter.count, grain: 1024, minimum: 65536) { range, _ in
        apus_accumulate(sum.floats + range.lowerBound, filter.floats + range.lowerBound, Int64(range.count))
      }
      let finish = try epilogueProgram(invocation)?.loop(over: filter.count)
      return { [parts] () throws(BackendError) in
        for (index, part) in parts.enumerated() {
          try part()
          if index > 0 { add() }
        }
        finish?()
      }
    }

    /// Runs the primitive, then the epilogue in place.
    func body(
      _ primitive: OneDNNPrimitive, filterVersion: ParameterVersion? = nil, then epilogue: TileProgram?, over count: Int
    ) throws(BackendError) -> CPUKernel.Body {
      let scratch = workScratch
      try scratch.reserve(primitive.scratchByteCount, limit: device.memoryBytes)
      let finish = epilogue?.loop(over: count)
      var filterCount = -1
      return { () throws(BackendError) in
        let count = filterVersion?.count ?? filterCount + 1
        try primitive.run(scratch.base, filterChanged: count != filterCount)
        filterCount = count
        finish?()
      }
    }
  }

  extension ConvolutionShape {
    /// Whether the filter gradient is that of large images. oneDNN adds up what a thread has pixel by pixel: the sums of
    /// many images keep more digits than one long sum. Parts of several smaller images were measured to cost up to a
    /// quarter more, and so were those of groups.
    func isSummedImageByImage(_ pass: ConvolutionPass) -> Bool {
      pass == .filterGradient && n > 1 && groups == 1 && r * s > 1 && p * q >= 8192
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
