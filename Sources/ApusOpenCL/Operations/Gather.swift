import ApusCore

extension OpenCLBackend {
  /// Rows of a table, converted to the result's type. Inputs: table, indices.
  func gather(_ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let table = call.inputs[0].type
    var defines: Defines = ["ROWS": table.shape[0], "COUNT": call.inputs[1].type.count]
    defines.define("SOURCE_TYPE", table.dtype.openCLName)
    defines.define("RESULT_TYPE", call.output.type.dtype.openCLName)
    return try rows("gather_rows", defines, count: call.inputs[1].type.count, call)
  }

  /// The sum of the gradients of the rows gathered from each row of the table. Inputs: gradient, indices.
  func gatherGradient(_ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let rowCount = call.output.type.shape[0]
    return try rows(
      "gather_gradient", ["ROWS": rowCount, "COUNT": call.inputs[1].type.count], count: rowCount, call)
  }

  /// A launch of `gather.cl` that writes `count` rows.
  private func rows(
    _ entry: String, _ defines: Defines, count: Int, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let row = call.output.type.shape.dropFirst().reduce(1, *)
    let epilogue = Epilogue(call)
    var all = defines
    all["ROW"] = row
    let source = try source(["gather"], all, for: call, epilogue: epilogue)
    let arguments = call.inputs.map(\.buffer) + [call.output.buffer] + epilogue.arguments
    switch kernelClass {
    case .cpu: return OpenCLKernel([try launch(source, entry, arguments, global: [count], local: [1])])
    case .gpu:
      return OpenCLKernel([try launch(source, entry, arguments, each: count * row / (row % 4 == 0 ? 4 : 1))])
    }
  }
}

extension GatherPass: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    // The kernel's channel is the position in the row.
    let indexesChannels = request.result.shape.last == request.result.shape.dropFirst().reduce(1, *)
    return Prepared(takesEpilogue: indexesChannels || !request.hasChannelOperand)
  }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    self == .gradient ? try backend.gatherGradient(call) : try backend.gather(call)
  }
}
