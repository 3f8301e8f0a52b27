import ApusCore

extension Normalization: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    if request.operands[0].count == 0 { return pass == .gradients ? nil : Prepared() }
    let tile = NormalizationTile(self, request.operands[0], on: backend)
    // Vectors along a row of several positions are not vectors of channels.
    let hasChannels = tile.sizes.positions == 1 || backend.kernelClass == .gpu || tile.length == tile.sizes.channels
    return Prepared(
      schedule: tile, workspaceByteCount: (tile.sumCount + tile.workCount) * MemoryLayout<Float>.stride,
      takesEpilogue: (pass == .forward || pass == .inputGradient) && (hasChannels || !request.hasChannelOperand))
  }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    if call.inputs[0].type.count == 0 { return try backend.zeros(call) }
    let tile = call.chosen(NormalizationTile.self)
    let epilogue = Epilogue(call)
    // What is written: elements like those of x, and two rows of channels.
    let (elements, parameters): (OpenCLBuffer?, OpenCLBuffer?)
    switch pass {
    case .forward, .inputGradient: (elements, parameters) = (call.output.buffer, nil)
    case .parameterGradients: (elements, parameters) = (nil, call.output.buffer)
    case .gradients:
      let count = call.inputs[0].type.count
      let start = Self.parameterStart(count)
      elements = try call.output.buffer.floats(0, count)
      parameters = try call.output.buffer.floats(start, 2 * tile.sizes.channels)
    }
    var defines = tile.defines
    defines["GRADIENTS"] = pass == .forward ? 0 : 1
    defines["WITH_INPUT"] = elements == nil || pass == .forward ? 0 : 1
    defines["WITH_PARAMETERS"] = parameters == nil ? 0 : 1
    if backend.kernelClass == .cpu { defines.define("EPSILON", epsilon.floatLiteral) }
    let source = try backend.source(tile.files, defines, for: call, epilogue: epilogue)

    // Parts of sums come first in the workspace.
    let partial = tile.splits > 1 ? call.workspace! : parameters
    var work: OpenCLBuffer?
    if tile.workCount > 0 {
      work = backend.kernelClass == .gpu ? call.workspace! : try call.workspace!.floats(tile.sumCount, tile.workCount)
    }
    var arguments = call.inputs.map(\.buffer) + (elements.map { [$0] + epilogue.arguments } ?? [])
    if backend.kernelClass == .cpu, parameters != nil { arguments.append(partial!) }
    if let work { arguments.append(work) }
    var numbers = OpenNumbers(sizes: tile.numbers)
    if backend.kernelClass == .gpu {
      if pass != .forward { numbers.sizes.append(tile.splits) }
      numbers.factors = [epsilon]
    }
    var launches = [
      try backend.launch(
        source, pass == .forward ? "normalize_forward" : "normalize_gradients", arguments, numbers,
        global: [tile.global], local: [tile.local])
    ]
    if backend.kernelClass == .gpu, parameters != nil {
      launches.append(
        try backend.launch(
          source, "normalize_sums", [call.inputs[0].buffer, call.inputs[2].buffer, work!, partial!],
          OpenNumbers(sizes: tile.numbers + [tile.splits]), global: [tile.sumsGlobal], local: [tile.local]))
    }
    if let parameters, tile.splits > 1 {
      launches.append(
        try backend.sumParts(tile.splits, in: partial!, call, into: parameters, count: 2 * tile.sizes.channels))
    }
    return OpenCLKernel(launches)
  }
}

extension OpenCLBuffer {
  /// `count` floats from the `first` on.
  fileprivate func floats(_ first: Int, _ count: Int) throws(BackendError) -> OpenCLBuffer {
    let size = MemoryLayout<Float>.stride
    return try slice((first * size)..<((first + count) * size))
  }
}

/// How `normalize_rows_cpu.cl`, `normalize_samples_cpu.cl` or `normalize_gpu.cl` divides samples or groups among
/// work-items.
private struct NormalizationTile: KernelSchedule {
  let sizes: Normalization.Sizes
  private(set) var defines: Defines = [:]
  let files: [String]
  let numbers: [Int]
  /// Places of a row of one or several positions.
  let length: Int
  /// Parts of the sums of channels; their floats, and those of the work space behind them.
  private(set) var splits = 1
  private(set) var sumCount = 0
  private(set) var workCount = 0
  let global, local: Int
  private(set) var sumsGlobal = 0

  var name: String { splits == 1 ? "one part" : "\(splits) parts" }

  init(_ normalization: Normalization, _ x: TensorType, on backend: OpenCLBackend) {
    sizes = .init(normalization, x.shape)
    let (samples, channels) = (sizes.samples, sizes.channels)
    let hasParameters = normalization.pass == .parameterGradients || normalization.pass == .gradients
    // About eight parts a compute unit.
    let wanted = backend.device.computeUnits * 8
    length = channels >= 64 ? channels : 64 / channels * channels
    switch backend.kernelClass {
    case .cpu:
      let isRows = sizes.positions == 1
      // Where channels are summed, so few samples that what they lose is that of a short sum.
      let most = isRows ? max(32, min(1024, 32768 / channels)) : 32
      let each = min(samples.dividedRoundingUp(by: wanted), hasParameters ? most : .max)
      let items = samples.dividedRoundingUp(by: each)
      files = ["vector_cpu", isRows ? "normalize_rows_cpu" : "normalize_samples_cpu"]
      numbers = [samples, each] + (isRows ? [] : [sizes.positions])
      (global, local) = (items, 1)
      defines["GROUPS"] = sizes.groups
      defines["WIDTH"] = sizes.width
      defines["VECTOR"] = RegisterTile.vector(isRows ? sizes.width : length)
      if !isRows {
        defines["LENGTH"] = length
        workCount = items * 11 * length
      }
      if hasParameters {
        splits = items
        // Where any device lets a view begin.
        if splits > 1 { sumCount = Normalization.parameterStart(splits * 2 * channels) }
      }
    case .gpu:
      let group = backend.groupSize
      let lanes = min(group, max(4, sizes.count.dividedRoundingUp(by: 4).roundedUpToPowerOfTwo))
      files = backend.treeFiles("normalize_gpu")
      numbers = [samples, sizes.positions, sizes.groups, sizes.width]
      (global, local) = ((samples * sizes.groups).dividedRoundingUp(by: group / lanes) * group, group)
      let columns = min(group, 64, max(4, channels.roundedUpToPowerOfTwo))
      defines["GROUP"] = group
      defines["LANES"] = lanes
      defines["COLUMNS"] = columns
      if hasParameters {
        let tiles = channels.dividedRoundingUp(by: columns)
        splits = max(1, min(wanted.dividedRoundingUp(by: tiles), x.count / tiles / 16384, x.count / channels))
        if splits > 1 { sumCount = splits * 2 * channels }
        workCount = samples * sizes.groups * 3
        sumsGlobal = splits * tiles * group
      }
    }
  }
}
