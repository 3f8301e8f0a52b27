import ApusCore

extension ChannelSums: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    if request.operands[0].count == 0 { return Prepared() }
    let tile = ChannelSumsTile(request.operands[0], self, on: backend)
    return Prepared(
      schedule: tile, workspaceByteCount: tile.splits == 1 ? 0 : tile.splits * request.result.byteCount)
  }

  /// Sums of expressions over all axes but the last.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let full = call.inputs[0].type
    if full.count == 0 { return try backend.zeros(call) }
    let tile = call.chosen(ChannelSumsTile.self)
    var defines = tile.defines
    let names = call.inputs.indices.map { "x\($0)" }
    defines.define("PARAMETERS", names.map { "__global const float *restrict \($0), " }.joined())
    let source = ExprSource(
      expressions, type: "T",
      input: { slot in
        switch EpilogueOperandKind(call.inputs[slot].type, of: full) {
        case .scalar: "(T)(\(names[slot])[0])"
        case .channel: "LOAD(\(names[slot]), channel)"
        case .full: "LOAD(\(names[slot]), index)"
        }
      }, random: { _, _ in preconditionFailure("a channel sum has no random numbers") })
    let additions = source.results.enumerated().map { "ADD(\($0), \($1));\n" }.joined()
    defines.define("TERMS(T, LOAD, index, channel, ADD)", "{\n\(source.statements)\(additions)}")

    let files = (backend.kernelClass == .cpu ? ["vector_cpu"] : []) + backend.treeFiles("channel_sums")
    let program = try backend.source(files, defines, for: call)
    let partial = tile.splits == 1 ? call.output.buffer : call.workspace!
    var launches = [
      try backend.launch(
        program, "channel_sums", call.inputs.map(\.buffer) + [partial], tile.numbers, global: [tile.global],
        local: [tile.local])
    ]
    if tile.splits > 1 { launches.append(try backend.sumParts(tile.splits, in: partial, call)) }
    return OpenCLKernel(launches)
  }
}

/// How `channel_sums.cl` divides the rows among work-items.
private struct ChannelSumsTile: KernelSchedule {
  private(set) var defines: Defines
  let numbers: OpenNumbers
  let splits: Int
  let global: Int
  let local: Int

  var name: String { splits == 1 ? "one launch" : "\(splits) parts" }

  init(_ full: TensorType, _ channelSums: ChannelSums, on backend: OpenCLBackend) {
    let channels = full.shape.last ?? 1
    let rows = channelSums.sample?.size(of: full.count / channels) ?? full.count / channels
    let (sums, elements) = (channelSums.expressions.count, rows * channels)
    defines = ["SUMS": sums]
    if let sample = channelSums.sample {
      defines["SAMPLED_ROWS"] = sample.rows
      defines["SAMPLED_BLOCK"] = sample.block
    }
    // About eight parts a compute unit, of so many elements that a second launch pays.
    let wanted = backend.device.computeUnits * 8
    switch backend.kernelClass {
    case .cpu:
      splits = max(1, min(wanted, elements / 8192, rows))
      (global, local) = (splits, 1)
      let vector = RegisterTile.vector(channels)
      defines["VECTOR"] = vector
      defines["WALK_V"] = channels >= 4 * vector && sums <= 4 ? 4 : channels >= 2 * vector ? 2 : 1
    case .gpu:
      let lanes = min(backend.groupSize, 64, max(4, channels.roundedUpToPowerOfTwo))
      let tiles = channels.dividedRoundingUp(by: lanes)
      splits = max(1, min(wanted.dividedRoundingUp(by: tiles), elements / tiles / 16384, rows))
      local = backend.groupSize
      global = splits * tiles * local
      defines["GROUP"] = local
      defines["LANES"] = lanes
    }
    numbers = OpenNumbers(sizes: [rows, channels, splits])
  }
}
