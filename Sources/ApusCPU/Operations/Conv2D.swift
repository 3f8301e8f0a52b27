import ApusCore

extension Convolution: CPUOperation {
  var takesEpilogue: Bool { true }

  func prepare(_ request: KernelRequest, on backend: CPUBackend) -> Prepared {
    let shape = ConvolutionShape(self, operands: request.operands, result: request.result)
    let usual = Conv2DSchedule(pass, shape, oneDNN: backend.usesOneDNN)
    let schedule = backend.chosen(shape.problem(pass), usual: usual) {
      Conv2DSchedule.all(pass, shape, oneDNN: backend.usesOneDNN)
    }
    var prepared = Prepared(
      schedule: schedule, workspaceByteCount: schedule.workspaceByteCount, takesEpilogue: true)
    if pass == .forward, schedule.addsToResult, let epilogue = request.epilogue {
      let terms = NativeEpilogue.Terms(epilogue, operands: request.epilogueOperands, result: request.result)
      prepared.overwrittenOperand = terms?.addend
    }
    return prepared
  }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let shape = ConvolutionShape(self, operands: invocation.inputs.map(\.type), result: invocation.output.type)
    let (image, filter, result) = pass.arrays(invocation.inputs, computed: invocation.output)
    switch invocation.chosen(Conv2DSchedule.self) {
    case .fewChannels(let sizes): return try backend.fewChannels(sizes, shape, image, filter, result, invocation)
    case .depthwise(let sizes): return try backend.depthwise(pass, sizes, shape.n, image, filter, result, invocation)
    case .fewFilters(let sizes): return try backend.fewFilters(pass, sizes, shape, image, filter, result, invocation)
    case .winograd(let product): return try backend.winograd(pass, product, image, filter, result, invocation)
    case .winogradFilterGradient(let gradient):
      return try backend.winograd(gradient, image, filter, result, invocation)
    #if OneDNN
      case .sampled(let cells): return try backend.sampled(pass, shape, cells, image, filter, result, invocation)
      case .imageByImage: return try backend.imageByImage(shape, image, filter, result, invocation)
      case .library: return try backend.nativeConvolution(pass, shape, image, filter, result, invocation)
    #endif
    case .product: return try backend.convolutionAsProducts(pass, shape, image, filter, result, invocation)
    }
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void { invocation.referenceConvolution(self) }
}
