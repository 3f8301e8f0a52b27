import ApusCore

extension OpenCLBackend {
  /// A pass of a depthwise convolution by `depthwise_cpu.cl`.
  func depthwise(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, _ tile: DepthwiseTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let epilogue = Epilogue(call)
    var defines: Defines = [pass.depthwiseNames.define: 1]
    defines.append(shape.defines)
    defines.append(tile.defines)
    let source = try source(["vector_cpu", "depthwise_cpu"], defines, for: call, epilogue: epilogue)
    let inputs = call.inputs.map(\.buffer)
    let entry = pass.depthwiseNames.entry
    guard pass == .filterGradient else {
      let arguments = inputs + [call.output.buffer] + epilogue.arguments
      return OpenCLKernel([try launch(source, entry, arguments, global: [tile.splits], local: [1])])
    }
    let partial = call.workspace!
    return OpenCLKernel([
      try launch(source, entry, inputs + [partial], global: [tile.splits], local: [1]),
      try launch(
        source, "depthwise_filter_gradient_sum", [partial, call.output.buffer], global: [shape.r * shape.s],
        local: [1]),
    ])
  }
}

/// Blocking of `depthwise_cpu.cl`.
struct DepthwiseTile {
  private let bands: Int
  /// Work-items.
  let splits: Int
  let workspaceByteCount: Int

  /// `nil` for other convolutions, and where the kernel does not serve or other kernels are as fast.
  init?(_ shape: ConvolutionShape, _ pass: ConvolutionPass, cores: Int, _ variation: TileVariation = .init()) {
    let window = shape.window
    guard shape.isDepthwise, shape.r == shape.s, [3, 5].contains(shape.r),
      [window.strideX, window.strideY, window.dilationX, window.dilationY].allSatisfy({ $0 == 1 }),
      min(shape.w, shape.q) * shape.c >= 16
    else { return nil }
    // Where channels fill the vectors, `conv2d_filter_gradient_cpu.cl` is as fast, and faster for large images.
    if pass == .filterGradient, RegisterTile.waste(shape.c, 16) < 1.1 { return nil }
    let laidOut = shape.r * shape.r * (shape.c + 15)
    // Private memory lies on a stack.
    guard laidOut <= 1 << 16 else { return nil }
    let (height, width) = pass == .inputGradient ? (shape.h, shape.w) : (shape.p, shape.q)
    guard height >= shape.r - 1 else { return nil }
    // Long bands load little twice; rows that lie multiples of 2 KB apart share a few sets of the first cache.
    let rows = width * shape.c % 512 == 0 ? 8 : 32
    var bands = height.dividedRoundingUp(by: rows)
    // Two work-items a core, of four rows or more.
    while shape.n * bands < 2 * cores, height >= 8 * bands { bands *= 2 }
    self.bands = bands
    // Parts of a filter gradient are added up.
    let splitsOfCore = pass == .filterGradient ? 4 : 8
    splits = min(shape.n * bands, max(1, Int(Double(splitsOfCore * cores) / variation.work)))
    workspaceByteCount = pass == .filterGradient ? 4 * splits * laidOut : 0
  }

  var name: String { "depthwise bands \(bands) splits \(splits)" }

  var defines: Defines { ["VECTOR": 16, "BANDS": bands, "SPLITS": splits] }
}

extension ConvolutionPass {
  /// Entry point, and the definition that selects it.
  fileprivate var depthwiseNames: (entry: String, define: String) {
    switch self {
    case .forward: ("depthwise_forward", "DEPTHWISE_FORWARD")
    case .inputGradient: ("depthwise_input_gradient", "DEPTHWISE_INPUT_GRADIENT")
    case .filterGradient: ("depthwise_filter_gradient", "DEPTHWISE_FILTER_GRADIENT")
    }
  }
}
