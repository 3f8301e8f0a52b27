import ApusCore

extension CPUBackend {
  /// A pass by the fastest of the ways that there are.
  func convolution(
    _ convolution: Convolution, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let pass = convolution.pass
    let shape = ConvolutionShape(
      convolution, operands: invocation.inputs.map(\.type), result: invocation.output.type)
    let (image, filter, result) = pass.arrays(invocation.inputs, computed: invocation.output)
    // These write a result before they read what is added to it.
    if !invocation.overwritesEpilogueInput {
      if pass == .forward, let body = try fewChannels(shape, image, filter, result, invocation) { return body }
      if let body = try depthwise(pass, shape, image, filter, result, invocation) { return body }
      if let body = try fewFilters(pass, shape, image, filter, result, invocation) { return body }
    }
    if let body = try winograd(pass, shape, image, filter, result, invocation) { return body }
    #if OneDNN
      if usesOneDNN { return try nativeConvolution(pass, shape, image, filter, result, invocation) }
    #endif
    return try convolutionAsProducts(pass, shape, image, filter, result, invocation)
  }
}

extension Convolution: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    try backend.convolution(self, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void { invocation.referenceConvolution(self) }
}
