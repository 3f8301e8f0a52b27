import ApusCore

extension SoftmaxKind: OpenCLOperation {
  var takesEpilogue: Bool { true }

  /// Softmax or its logarithm along the last axis.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let entry =
      switch self {
      case .softmax: "softmax_forward"
      case .logSoftmax: "softmax_log"
      }
    return try backend.rows(entry, columns: call.output.type.shape.last!, [:], call)
  }
}

extension OpenCLBackend {
  /// A launch of `softmax.cl` for the rows of the first operand.
  func rows(
    _ entry: String, columns: Int, _ defines: Defines, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let rows = call.inputs[0].type.count / columns
    let epilogue = Epilogue(call)
    var all = defines
    all[entry.uppercased()] = 1
    all["ROWS"] = rows
    all["COLUMNS"] = columns
    let global: Int
    let local: Int
    switch kernelClass {
    case .cpu:
      let rowsPerItem = rows.dividedRoundingUp(by: device.computeUnits * 8)
      all["ROWS_PER_ITEM"] = rowsPerItem
      (global, local) = (rows.dividedRoundingUp(by: rowsPerItem), 1)
    case .gpu:
      let lanes = min(groupSize, max(4, columns.dividedRoundingUp(by: 4).roundedUpToPowerOfTwo))
      all["GROUP"] = groupSize
      all["LANES"] = lanes
      (global, local) = (rows.dividedRoundingUp(by: groupSize / lanes) * groupSize, groupSize)
    }
    let source = try source(treeFiles("softmax"), all, for: call, epilogue: epilogue)
    let arguments = call.inputs.map(\.buffer) + [call.output.buffer] + epilogue.arguments
    return OpenCLKernel([try launch(source, entry, arguments, global: [global], local: [local])])
  }
}
