import ApusCore

extension OpenCLBackend {
  /// Maximum or mean of each window.
  func pool2D(_ attributes: Pool2DAttributes, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let (x, y) = (call.inputs[0].type.shape, call.output.type.shape)
    let epilogue = Epilogue(call)
    let source = try source(["pool2d"], defines("POOL2D_FORWARD", attributes, x, y), for: call, epilogue: epilogue)
    let arguments = [call.inputs[0].buffer, call.output.buffer] + epilogue.arguments
    switch kernelClass {
    case .cpu:
      return OpenCLKernel([
        try launch(source, "pool2d_forward", arguments, global: [y[0] * y[1]], local: [1])
      ])
    case .gpu:
      let count = call.output.type.count / (x[3] % 4 == 0 ? 4 : 1)
      return OpenCLKernel([try launch(source, "pool2d_forward", arguments, each: count)])
    }
  }

  /// The gradient of each cell, gathered from the windows that hold it. Inputs: x, the pooled y, dy.
  func pool2DGradient(
    _ attributes: Pool2DAttributes, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let (x, y) = (call.inputs[0].type.shape, call.inputs[1].type.shape)
    let epilogue = Epilogue(call)
    let source = try source(["pool2d"], defines("POOL2D_GRADIENT", attributes, x, y), for: call, epilogue: epilogue)
    let operands = attributes.kind == .max ? call.inputs : [call.inputs[2]]
    let arguments = operands.map(\.buffer) + [call.output.buffer] + epilogue.arguments
    let window = attributes.window
    switch kernelClass {
    case .cpu:
      let tiles = attributes.height == window.strideY && attributes.width == window.strideX
      let bands = tiles ? (x[1] + window.top).dividedRoundingUp(by: window.strideY) : x[1]
      return OpenCLKernel([try launch(source, "pool2d_gradient", arguments, global: [x[0] * bands], local: [1])])
    case .gpu:
      let count = call.output.type.count / (x[3] % 4 == 0 ? 4 : 1)
      return OpenCLKernel([try launch(source, "pool2d_gradient", arguments, each: count)])
    }
  }

  private func defines(_ pass: String, _ attributes: Pool2DAttributes, _ x: [Int], _ y: [Int]) -> Defines {
    [
      pass: 1, "POOL_MAX": attributes.kind == .max ? 1 : 0,
      "COUNT_PADDING": attributes.kind == .averageIncludingPadding ? 1 : 0,
      "N": x[0], "H": x[1], "W": x[2], "C": x[3], "P": y[1], "Q": y[2],
      "WINDOW_H": attributes.height, "WINDOW_W": attributes.width,
      "STRIDE_H": attributes.window.strideY, "STRIDE_W": attributes.window.strideX,
      "PAD_TOP": attributes.window.top, "PAD_LEFT": attributes.window.left,
    ]
  }
}

extension Pooling: OpenCLOperation {
  var takesEpilogue: Bool { true }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    isGradient ? try backend.pool2DGradient(pooling, call) : try backend.pool2D(pooling, call)
  }
}
