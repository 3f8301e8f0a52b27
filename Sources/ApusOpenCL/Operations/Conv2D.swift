import ApusCore

extension Convolution: OpenCLOperation {
  var takesEpilogue: Bool { pass != .filterGradient }

  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    let shape = ConvolutionShape(self, operands: request.operands, result: request.result)
    let schedule = backend.conv2DSchedule(shape, pass)
    if let pooling = request.pooling, canPool(pooling, shape) {
      let pooled = Conv2DSchedule.direct(Conv2DTile(shape, pass, pooling: pooling))
      return Prepared(schedule: pooled, takesEpilogue: takesEpilogue, takesPooling: schedule.isLikeDirect)
    }
    return Prepared(
      schedule: schedule, workspaceByteCount: schedule.workspaceByteCount(shape, pass), takesEpilogue: takesEpilogue)
  }

  /// The direct convolution pools rows of small windows that lie side by side. What windows of several rows hold so far
  /// is private memory, up to 64 floats for each of a row.
  private func canPool(_ pooling: Pool2DAttributes, _ shape: ConvolutionShape) -> Bool {
    pass == .forward && pooling.tilesImage && pooling.width <= 8 && pooling.width <= shape.q
      && pooling.height <= shape.p && (pooling.height == 1 || shape.q / pooling.width <= 1024)
  }

  func scheduleChoice(_ request: KernelRequest, on backend: OpenCLBackend) -> ScheduleChoice? {
    let shape = ConvolutionShape(self, operands: request.operands, result: request.result)
    return ScheduleChoice(shape.problem(pass), backend.conv2DSchedules(shape, pass))
  }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let shape = ConvolutionShape(self, operands: call.inputs.map(\.type), result: call.resultType)
    return switch call.chosen(Conv2DSchedule.self) {
    case .direct(let tile): try backend.direct(shape, pass, tile, call)
    case .winograd(let tile): try backend.winograd(shape, pass, tile, call)
    case .depthwise(let tile): try backend.depthwise(shape, pass, tile, call)
    case .filterGradient(let tile): try backend.filterGradient(shape, tile, call)
    case .winogradFilterGradient(let tile): try backend.winogradFilterGradient(shape, tile, call)
    case .matrix(let product, let tile): try backend.matMul(product, tile, call)
    case .product(let product): try backend.implicitProduct(shape, pass, product, call)
    }
  }
}

extension OpenCLBackend {
  // MARK: CPU-class: direct convolution in registers

  fileprivate func direct(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, _ tile: Conv2DTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let epilogue = Epilogue(call)
    var defines: Defines = [pass.names.define: 1]
    defines.append(shape.defines)
    defines.append(tile.defines)
    let source = try source(["vector_cpu", "conv2d_cpu"], defines, for: call, epilogue: epilogue)
    var launches: [OpenCLLaunch] = []
    var filter = call.inputs[1].buffer
    if pass == .inputGradient {
      let transposed = call.workspace!
      launches.append(
        try launch(
          self.source(["vector_cpu", "conv2d_transpose_cpu"], ["VECTOR": 16], for: call), "conv2d_transpose_filter",
          [filter, transposed],
          OpenNumbers(sizes: [shape.r * shape.s, shape.groups, shape.groupC, shape.groupK]),
          global: [shape.r * shape.s, shape.groups, shape.groupK.dividedRoundingUp(by: 16)], local: [1, 1, 1]))
      filter = transposed
    }
    launches.append(
      try launch(
        source, pass.names.entry, [call.inputs[0].buffer, filter, call.output.buffer] + epilogue.arguments,
        global: tile.global, local: [1, 1]))
    return OpenCLKernel(launches)
  }

  fileprivate func filterGradient(
    _ shape: ConvolutionShape, _ tile: FilterGradientTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    var defines = shape.defines
    defines.append(tile.defines)
    let source = try source(["vector_cpu", "conv2d_filter_gradient_cpu"], defines, for: call)
    let partial = tile.sumsInParts ? call.workspace! : call.output.buffer
    var launches = [
      try launch(
        source, "conv2d_filter_gradient", call.inputs.map(\.buffer) + [partial], global: tile.global, local: [1, 1])
    ]
    if tile.lanesOfInputs {
      launches.append(
        try launch(
          source, "conv2d_filter_gradient_sum", [partial, call.output.buffer],
          global: [shape.filterCount / shape.c], local: [1]))
    } else if tile.sumsInParts {
      launches.append(try sumParts(tile.splits, in: partial, call))
    }
    return OpenCLKernel(launches)
  }

  // MARK: GPU-class: an implicit matrix product

  func product(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> TiledProduct {
    let window = shape.window
    let pixels = shape.n * shape.p * shape.q
    let taps = shape.r * shape.s
    return switch pass {
    case .forward:
      TiledProduct(
        rows: pixels, columns: shape.groupK, depth: taps * shape.groupC, slices: shape.groups, on: context.device)
    case .inputGradient:
      // Cells of dx of one remainder modulo the stride share their taps: a slice of its own.
      TiledProduct(
        rows: shape.n * shape.h.dividedRoundingUp(by: window.strideY) * shape.w.dividedRoundingUp(by: window.strideX),
        columns: shape.groupC, depth: taps * shape.groupK / (window.strideY * window.strideX),
        slices: shape.groups * window.strideY * window.strideX, on: context.device)
    case .filterGradient:
      TiledProduct(
        rows: taps * shape.groupC, columns: shape.groupK, depth: pixels, slices: shape.groups, on: context.device)
    }
  }

  fileprivate func implicitProduct(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, _ product: TiledProduct, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    var defines: Defines = [pass.names.define: 1]
    defines.append(shape.defines)
    if pass == .inputGradient {
      defines["TAP_STEP_H"] = shape.window.strideY / gcd(shape.window.strideY, shape.window.dilationY)
      defines["TAP_STEP_W"] = shape.window.strideX / gcd(shape.window.strideX, shape.window.dilationX)
    }
    return try launches(product, "conv2d_gpu", pass.names.entry, defines, call)
  }
}

private func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }
