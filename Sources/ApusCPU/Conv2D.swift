import ApusCore

extension CPUBackend {
  func conv2D(
    _ attributes: Conv2DAttributes, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let (image, filter) = (invocation.inputs[0], invocation.inputs[1])
    let shape = ConvolutionShape(
      attributes, image: image.shape, filter: filter.shape, result: invocation.output.shape)
    return try pass(.forward, shape, image, filter, invocation.output, invocation)
  }

  func conv2DInputGradient(
    _ attributes: Conv2DAttributes, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let (result, filter) = (invocation.inputs[0], invocation.inputs[1])
    let shape = ConvolutionShape(
      attributes, image: invocation.output.shape, filter: filter.shape, result: result.shape)
    return try pass(.inputGradient, shape, invocation.output, filter, result, invocation)
  }

  func conv2DFilterGradient(
    _ attributes: Conv2DAttributes, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let (image, result) = (invocation.inputs[0], invocation.inputs[1])
    let shape = ConvolutionShape(
      attributes, image: image.shape, filter: invocation.output.shape, result: result.shape)
    return try pass(.filterGradient, shape, image, invocation.output, result, invocation)
  }

  /// One pass by the fastest of the ways that there are.
  private func pass(
    _ pass: ConvolutionPass, _ shape: ConvolutionShape, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
    _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    // These write a result before they read what is added to it.
    if !invocation.overwritesEpilogueInput {
      if pass == .forward, let body = try fewChannels(shape, image, filter, result, invocation) { return body }
      if let body = try depthwise(pass, shape, image, filter, result, invocation) { return body }
      if let body = try fewFilters(pass, shape, image, filter, result, invocation) { return body }
    }
    if let body = try winograd(pass, shape, image, filter, result, invocation) { return body }
    return try convolution(pass, shape, image, filter, result, invocation)
  }
}
