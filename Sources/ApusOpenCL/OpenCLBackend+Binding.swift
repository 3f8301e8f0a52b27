package import ApusCore

extension OpenCLBackend {
  package func fusesEpilogue(of op: Op) -> Bool {
    switch op {
    case .matMul, .conv2D, .conv2DInputGradient, .pool2D, .pool2DGradient, .reduce, .softmax, .crossEntropyGradient,
      .gather, .gatherGradient:
      true
    case .conv2DFilterGradient, .channelSums, .argMax, .crossEntropy, .input, .constant, .parameter, .pointwise, .update, .reshape,
      .transpose, .slice, .concat, .pad, .pack:
      false
    }
  }

  package func kernel(for call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    if (call.inputs + [call.output] + call.epilogueInputs).contains(where: { $0.type.dtype == .float64 }) {
      throw BackendError(
        .unsupported,
        "\(device.name): \(call.op.name)\(call.label.isEmpty ? "" : " of \(call.label)") on float64: "
          + "OpenCL devices compute in float32 here; use the device 'cpu' for float64")
    }
    switch call.op {
    case .pointwise(let expr): return try pointwise(expr, call)
    case .update(let update): return try self.update(update, call)
    case .matMul(let attributes): return try matMul(attributes, call)
    case .conv2D(let attributes): return try conv2D(.forward, attributes, call)
    case .conv2DInputGradient(let attributes): return try conv2D(.inputGradient, attributes, call)
    case .conv2DFilterGradient(let attributes): return try conv2D(.filterGradient, attributes, call)
    case .pool2D(let attributes): return try pool2D(attributes, call)
    case .pool2DGradient(let attributes): return try pool2DGradient(attributes, call)
    case .reduce(let reduction): return try reduce(reduction, call)
    case .channelSums(let sums): return try channelSums(sums, call)
    case .argMax(let axis): return try argMax(axis, call)
    case .softmax(let kind): return try softmax(kind, call)
    case .crossEntropy(let attributes): return try crossEntropy(attributes, call)
    case .crossEntropyGradient(let attributes): return try crossEntropyGradient(attributes, call)
    case .transpose(let permutation): return try transpose(permutation, call)
    case .slice(let attributes): return try slice(attributes, call)
    case .concat(let axis): return try concat(axis, call)
    case .pad(let attributes): return try pad(attributes, call)
    case .gather: return try gather(call)
    case .gatherGradient: return try gatherGradient(call)
    case .input, .constant, .parameter, .reshape, .pack:
      preconditionFailure("OpenCL: \(call.op.name) has no kernel")
    }
  }

  package func workspaceByteCount(for op: Op, inputs: [TensorType], output: TensorType) -> Int {
    switch op {
    case .matMul(let attributes): matMulWorkspace(attributes, inputs, output)
    case .conv2D(let attributes): conv2DWorkspace(.forward, attributes, inputs, output)
    case .conv2DInputGradient(let attributes): conv2DWorkspace(.inputGradient, attributes, inputs, output)
    case .conv2DFilterGradient(let attributes): conv2DWorkspace(.filterGradient, attributes, inputs, output)
    case .reduce(let reduction): reduceWorkspace(reduction, inputs, output)
    case .channelSums(let sums): channelSumsWorkspace(sums, inputs, output)
    case .input, .constant, .parameter, .reshape, .pack, .pointwise, .update, .pool2D, .pool2DGradient, .argMax,
      .softmax, .crossEntropy, .crossEntropyGradient, .transpose, .slice, .concat, .pad, .gather, .gatherGradient:
      0
    }
  }

  // MARK: For the operations' files

  var schedule: OpenCLDevice.Schedule { context.device.schedule }

  /// Work-items of a group where a kernel takes any number.
  var groupSize: Int { min(256, context.device.maximumWorkGroupSize.roundedDownToPowerOfTwo) }

  /// The source of `files` for an invocation: its definitions, those of the device and those of the epilogue.
  func source(
    _ files: [String], _ defines: Defines, for call: Invocation<OpenCLBuffer>, epilogue: Epilogue? = nil
  ) throws(BackendError) -> KernelSource {
    var all: Defines = ["GPU_CLASS": schedule == .gpu ? 1 : 0]
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
      switch schedule {
      // pocl compiles a kernel again for each size of group: two sizes only.
      case .cpu: count >= 64 * 8 * device.computeUnits ? 64 : 8
      case .gpu: groupSize
      }
    return try launch(source, entry, arguments, numbers, global: [count.roundedUp(toMultipleOf: local)], local: [local])
  }

  /// The launches of `call` without its epilogue, then the epilogue in place.
  func epilogueApart(
    _ call: Invocation<OpenCLBuffer>, _ bind: (Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel
  ) throws(BackendError) -> OpenCLKernel {
    var plain = call
    plain.epilogue = nil
    plain.epilogueInputs = []
    var after = plain
    after.inputs = [call.output] + call.broadcastEpilogueInputs
    return OpenCLKernel(try bind(plain).launches + pointwise(call.epilogue ?? .input(0), after).launches)
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

extension Invocation {
  /// Whether an epilogue operand is indexed by the result's last axis.
  var hasChannelOperand: Bool {
    epilogueInputs.contains { EpilogueOperandKind($0.type, of: resultType) == .channel }
  }

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
