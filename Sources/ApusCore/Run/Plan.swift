/// A graph lowered, placed in memory and bound to a device: running it only starts kernels.
package final class Plan<B: Backend>: Executable {
  package let inputs: [(name: String, type: TensorType)]
  package var plannedBytes: Int { account.byteCount }
  package let lowered: LoweredGraph
  package let memory: MemoryPlan
  /// Names of the schedules that kernels are bound by, where there are several ways.
  private let schedules: [Int: String]
  private let session: BackendSession<B>
  private let account: MemoryAccount<B>
  private let checksNumbers: Bool
  private let inputBuffers: [B.Buffer?]
  private let outputs: [(buffer: B.Buffer, type: TensorType)]
  private let observations: [String: (buffer: B.Buffer, type: TensorType)]
  private let kernels: [B.Kernel]
  /// Kernels whose results stay the same until a parameter changes.
  private let preparation: [B.Kernel]
  /// Of the parameters that are read there, and their sum when it was last run.
  private let read: [ParameterVersion]
  private var preparedCount = -1
  /// Tells kernels that the parameters have changed.
  private let version: ParameterVersion
  private let written: [ParameterVersion]
  /// For each kernel, its node and result, for the checked mode.
  private let results: [(node: Int, operand: Operand<B.Buffer>)]

  package init(_ graph: Graph, outputs: [Tensor], options: CompileOptions, session: BackendSession<B>) throws {
    let backend = session.backend
    let lowered = Compiler.lower(
      graph, wanted: outputs.map(\.id) + graph.observations.values,
      for: Compiler.Target(backend, options: options))
    let nodes = lowered.nodes
    let stationary = lowered.stationaryNodes()

    let prepared = nodes.map { lowered.prepared($0, by: backend.prepare) }
    let scratch = prepared.map { $0?.workspaceByteCount ?? 0 }
    var overwritten: [Int: Int] = [:]
    for (id, node) in nodes.enumerated() {
      guard let operand = prepared[id]?.overwrittenOperand else { continue }
      overwritten[id] = Array(node.epilogueOperands)[operand]
    }
    let memory = MemoryPlan(
      lowered, stationary: stationary, workspaces: scratch, alignment: backend.device.alignment,
      blockLimit: backend.device.maximumAllocationBytes, reuses: options.reusesMemory && !options.checksNumbers,
      overwritten: overwritten)
    let account = MemoryAccount(session)
    let blocks = try memory.blockSizes.map { try account.allocate($0) }
    for gap in memory.gaps {
      // From where a view may start: what lies before the gap there is not computed yet.
      let first = gap.range.lowerBound / backend.device.alignment * backend.device.alignment
      let zeros = NDArray(zeros: [gap.range.upperBound - first], dtype: .uint8)
      try session.upload(zeros, to: backend.slice(blocks[gap.block], first..<gap.range.upperBound))
    }

    var buffers: [B.Buffer?] = []
    for (id, node) in nodes.enumerated() {
      switch memory.locations[id] {
      case .none: buffers.append(nil)
      case .constant:
        guard case .constant(let value) = node.op else {
          buffers.append(buffers[node.inputs[0]])
          continue
        }
        let buffer = try account.allocate(value.byteCount)
        try session.upload(value, to: buffer)
        buffers.append(buffer)
      case .parameter(let source, let offset):
        let whole = try session.buffer(of: nodes[source].parameter!)
        let isWhole = offset == 0 && node.type.byteCount == nodes[source].type.byteCount
        buffers.append(isWhole ? whole : try backend.slice(whole, offset..<(offset + node.type.byteCount)))
      case .block(let block, let offset):
        buffers.append(try backend.slice(blocks[block], offset..<(offset + max(node.type.byteCount, 1))))
      }
    }

    func operand(_ id: Int) -> Operand<B.Buffer> { Operand(buffer: buffers[id]!, type: nodes[id].type) }
    var kernels: [B.Kernel] = []
    var preparation: [B.Kernel] = []
    let version = ParameterVersion()
    var results: [(Int, Operand<B.Buffer>)] = []
    let bound = nodes.indices.filter { nodes[$0].needsKernel && !memory.views.contains($0) }
    let progress = ProgressLine("Building kernels", total: bound.count)
    for id in bound {
      let node = nodes[id]
      progress?.next()
      guard let answer = prepared[id], node.epilogue == nil || answer.takesEpilogue else {
        preconditionFailure("\(backend.device.name): no kernel for \(node.line(id))")
      }
      var workspace: B.Buffer?
      if case .block(let block, let offset) = memory.workspaces[id] {
        workspace = try backend.slice(blocks[block], offset..<(offset + scratch[id]))
      }
      let output: Operand<B.Buffer>
      if case .update(let update) = node.op {
        output = operand(node.inputs[update.targets[0]])
      } else {
        output = operand(id)
      }
      let kernel = try backend.kernel(
        for: Invocation(
          op: node.op, inputs: node.operands.map(operand), output: output, epilogue: node.epilogue,
          epilogueInputs: node.epilogueOperands.map(operand), pooling: node.pooling, schedule: answer.schedule,
          workspace: workspace, label: node.label,
          versions: node.operands.map { stationary.contains($0) && !options.checksNumbers ? version : nil }))
      if stationary.contains(id), !options.checksNumbers {
        preparation.append(kernel)
      } else {
        kernels.append(kernel)
        results.append((id, output))
      }
    }

    self.session = session
    self.lowered = lowered
    self.memory = memory
    schedules = bound.reduce(into: [:]) { $0[$1] = prepared[$1]?.schedule?.name }
    self.account = account
    self.checksNumbers = options.checksNumbers
    self.kernels = kernels
    self.preparation = preparation
    written = try lowered.writtenStorages.map { try session.version(of: $0) }
    self.version = version
    read = try stationary.compactMap { nodes[$0].parameter }.map { try session.version(of: $0) }
    self.results = results
    inputs = graph.inputs.map { ($0.name, graph.nodes[$0.id].type) }
    inputBuffers = graph.inputs.map { input in lowered.index[input.id].flatMap { buffers[$0] } }
    self.outputs = outputs.map { tensor in
      let id = lowered.index[tensor.id]!
      return (buffers[id]!, nodes[id].type)
    }
    observations = graph.observations.mapValues { id in
      (buffers[lowered.index[id]!]!, nodes[lowered.index[id]!].type)
    }
  }

  package var launchCount: Int { kernels.count }

  package var listing: String {
    lowered.nodes.indices.map { id in
      var line = lowered.nodes[id].line(id)
      if case .block(let block, let offset) = memory.locations[id] { line += "  @\(block)+\(offset)" }
      if let schedule = schedules[id] { line += "  by \(schedule)" }
      return line
    }.joined(separator: "\n") + "\n\(kernels.count) launches, \(memory.byteCount.formattedBytes) planned"
  }

  package func setInput(_ index: Int, _ value: NDArray) throws {
    let (name, type) = inputs[index]
    guard value.shape == type.shape, value.dtype == type.dtype else {
      throw GraphError(
        label: name,
        message: "the input is \(value.dtype) \(value.shape.shapeDescription); the plan was made for \(type.dtype) "
          + "\(type.shape.shapeDescription)")
    }
    if let buffer = inputBuffers[index] { try session.upload(value, to: buffer) }
  }

  package func setInput<T: Element>(_ index: Int, _ elements: Span<T>) throws {
    let (name, type) = inputs[index]
    guard elements.count == type.count, T.dtype == type.dtype else {
      throw GraphError(
        label: name,
        message: "the input is \(elements.count) elements of \(T.dtype); the plan was made for \(type.dtype) "
          + "\(type.shape.shapeDescription)")
    }
    guard let buffer = inputBuffers[index], !elements.isEmpty else { return }
    try elements.withUnsafeBytes { bytes in try session.backend.copy(bytes, to: buffer) }
  }

  package func run() throws {
    if checksNumbers {
      try runChecked()
    } else {
      try prepare()
      try session.backend.run(kernels)
    }
    for version in written { version.advance() }
  }

  package func profile() throws -> RunProfile {
    try prepare()
    let launches = try session.backend.profile(kernels)
    for version in written { version.advance() }
    return RunProfile(
      operations: zip(results, launches).map { result, launches in
        .init(lowered.nodes[result.node], result.node, in: lowered.nodes, launches: launches)
      })
  }

  /// Computes what depends on parameters alone, if one of them has changed.
  private func prepare() throws {
    var count = 0
    for version in read { count += version.count }
    if count == preparedCount { return }
    version.advance()
    try session.backend.run(preparation)
    preparedCount = count
  }

  package func output(_ index: Int) throws -> NDArray {
    try session.read(outputs[index].buffer, outputs[index].type)
  }

  package func observation(_ name: String) throws -> NDArray? {
    guard let place = observations[name] else { return nil }
    return try session.read(place.buffer, place.type)
  }

  private func runChecked() throws {
    for (kernel, (id, operand)) in zip(kernels, results) {
      try session.backend.run([kernel])
      guard operand.type.dtype.isFloatingPoint else { continue }
      let values = try session.read(operand.buffer, operand.type).doubles
      if let index = values.firstIndex(where: { !$0.isFinite }) {
        throw GraphError(
          label: lowered.nodes[id].label,
          message: "\(values[index].text) at element \(index) of \(lowered.nodes[id].line(id))")
      }
    }
  }
}

/// The allocations of one plan, given back with it: also when binding fails half-way.
private final class MemoryAccount<B: Backend> {
  private let session: BackendSession<B>
  private(set) var byteCount = 0

  init(_ session: BackendSession<B>) { self.session = session }

  func allocate(_ size: Int) throws(BackendError) -> B.Buffer {
    let buffer = try session.allocate(size)
    byteCount += size
    return buffer
  }

  deinit { session.release(byteCount) }
}
