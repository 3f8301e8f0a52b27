package import ApusCore

extension OpenCLBackend {
  package func prepare(_ request: KernelRequest) -> Prepared? { request.op.onOpenCL?.prepare(request, on: self) }

  package func kernel(for call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    if (call.inputs + [call.output] + call.epilogueInputs).contains(where: { $0.type.dtype == .float64 }) {
      throw BackendError(
        .unsupported,
        "\(device.name): \(call.op.name)\(call.label.isEmpty ? "" : " of \(call.label)") on float64: "
          + "OpenCL devices compute in float32 here; use the device 'cpu' for float64")
    }
    guard let operation = call.op.onOpenCL else { preconditionFailure("OpenCL: \(call.op.name) has no kernel") }
    return try operation.kernel(call, on: self)
  }

  // MARK: For the operations' files

  var kernelClass: OpenCLDevice.KernelClass { context.device.kernelClass }

  /// Work-items of a group where a kernel takes any number.
  var groupSize: Int { min(256, context.device.maximumWorkGroupSize.roundedDownToPowerOfTwo) }

  private static let treeFile = "group_tree"

  /// The files of a family whose GPU-class kernels combine what the work-items of a group found.
  func treeFiles(_ family: String) -> [String] { kernelClass == .gpu ? [Self.treeFile, family] : [family] }

  /// The source of `files` for an invocation: its definitions, those of the device and those of the epilogue.
  func source(
    _ files: [String], _ defines: Defines, for call: Invocation<OpenCLBuffer>, epilogue: Epilogue? = nil
  ) throws(BackendError) -> KernelSource {
    var all: Defines = ["GPU_CLASS": kernelClass == .gpu ? 1 : 0]
    if files.contains(Self.treeFile) { all["SUB_GROUPS"] = subGroups.rawValue }
    let operands = call.inputs + [call.output] + call.epilogueInputs
    all.append(defines)
    if let epilogue { all.append(epilogue.defines) }
    // Loops over rows or columns look up to 65536 elements past the last one.
    let hasLongIndices = operands.contains { $0.type.count > Int(Int32.max) - 65536 }
    return try KernelSource(files, all, hasLongIndices: hasLongIndices, for: context.device)
  }

  /// A launch of `entry` of the program of `source`.
  func launch(
    _ source: KernelSource, _ entry: String, _ arguments: [OpenCLBuffer], _ numbers: OpenNumbers = .init(),
    global: [Int], local: [Int]
  ) throws(BackendError) -> OpenCLLaunch {
    try OpenCLLaunch(
      programs.program(source), entry: entry, arguments: arguments, numbers: numbers, global: global, local: local)
  }

  /// A launch with a work-item for each of `count` elements, and some that find nothing to do.
  func launch(
    _ source: KernelSource, _ entry: String, _ arguments: [OpenCLBuffer], _ numbers: OpenNumbers = .init(),
    each count: Int
  ) throws(BackendError) -> OpenCLLaunch {
    let local =
      switch kernelClass {
      // pocl compiles a kernel again for each size of group: two sizes only.
      case .cpu: count >= 64 * 8 * device.computeUnits ? 64 : 8
      case .gpu: groupSize
      }
    return try launch(source, entry, arguments, numbers, global: [count.roundedUp(toMultipleOf: local)], local: [local])
  }

  /// The result of an operation over nothing: zeros, and what the epilogue makes of them.
  func zeros(_ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let slots = [Expr.constant(0)] + call.epilogueInputs.indices.map { Expr.input($0) }
    var plain = call
    plain.epilogue = nil
    plain.inputs = call.broadcastEpilogueInputs
    return try pointwise((call.epilogue ?? .input(0)).substituting(slots), plain)
  }
}

extension KernelRequest {
  /// Whether an epilogue operand is indexed by the result's last axis.
  var hasChannelOperand: Bool { epilogueOperands.contains { EpilogueOperandKind($0, of: result) == .channel } }
}

extension Invocation {
  /// The epilogue's operands in shapes that broadcast to the result's.
  fileprivate var broadcastEpilogueInputs: [Operand<Buffer>] {
    epilogueInputs.map { operand in
      var operand = operand
      switch EpilogueOperandKind(operand.type, of: resultType) {
      case .scalar: operand.type.shape = []
      case .channel: operand.type.shape = [operand.type.count]
      case .full: operand.type.shape = resultType.shape
      }
      return operand
    }
  }
}

extension DType {
  /// The type's name in OpenCL C.
  var openCLName: String {
    switch self {
    case .float32: "float"
    case .float64: "double"
    case .int32: "int"
    case .uint8: "uchar"
    }
  }
}

extension Int {
  func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
  func roundedUp(toMultipleOf factor: Int) -> Int { dividedRoundingUp(by: factor) * factor }
  var roundedUpToPowerOfTwo: Int { self <= 1 ? 1 : 1 << (bitWidth - (self - 1).leadingZeroBitCount) }
  var roundedDownToPowerOfTwo: Int { self < 1 ? 1 : 1 << (bitWidth - 1 - leadingZeroBitCount) }
}
