import ApusCore

extension OpenCLBackend {
  /// The blocking for a pass, `nil` where the direct kernel is to serve.
  func winogradTile(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> WinogradTile? {
    [false, true].compactMap { WinogradTile(shape, pass, cores: device.computeUnits, isTransposed: $0) }
      .filter(\.isFasterThanDirect).min { $0.cycles < $1.cycles }
  }

  /// Forward or input gradient of a convolution by Winograd's F(4x4, 3x3).
  func winograd(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, _ tile: WinogradTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let epilogue = Epilogue(call)
    var defines: Defines = [pass.names.define: 1]
    defines.append(shape.defines)
    defines.append(tile.defines)
    let source = try source(
      ["vector_cpu", "winograd_transform_cpu", "winograd_cpu"], defines, for: call, epilogue: epilogue)
    var launches: [OpenCLLaunch] = []
    var filter = call.inputs[1].buffer
    if !tile.fusesFilter {
      let transformed = call.workspace!
      launches.append(
        try launch(
          source, "winograd_transform_filter", [filter, transformed], global: tile.filterGlobal, local: [1, 1]))
      filter = transformed
    }
    launches.append(
      try launch(
        source, pass == .forward ? "winograd_forward" : "winograd_input_gradient",
        [call.inputs[0].buffer, filter, call.output.buffer] + epilogue.arguments, global: tile.global, local: [1, 1]))
    return OpenCLKernel(launches)
  }
}

/// Blocking of `winograd_cpu.cl`.
struct WinogradTile {
  private var vectors = 1, rows = 1
  private let chunk, panelChannels, blockPanels, blockChannels: Int
  /// Whether each work-item transforms the part of the filter that it needs.
  let fusesFilter: Bool
  /// Work-items, and those of the filter's transform where it is a launch of its own.
  let global, filterGlobal: [Int]
  let workspaceByteCount: Int
  /// An input gradient by the transposed forward pass: images of a work-item; else 0.
  private let images: Int
  /// Cycles of a core, estimated.
  let cycles: Double
  /// Whether that is less than `conv2d_cpu.cl` would take.
  let isFasterThanDirect: Bool

  /// `nil` for other filters, strides, dilations and groups, and for few channels.
  ///
  /// - Parameters:
  ///   - fusesFilter: `nil` leaves it to the model.
  ///   - isTransposed: an input gradient by tiles of the result's gradient; `nil` for other passes and large images.
  init?(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, cores: Int, _ variation: TileVariation = .init(),
    fusesFilter: Bool? = nil, isTransposed: Bool = false
  ) {
    let isForward = pass == .forward
    let (inputs, outputs) = isForward ? (shape.c, shape.k) : (shape.k, shape.c)
    guard shape.suitsWinograd, !(isForward && isTransposed) else { return nil }
    let (height, width) = isForward || isTransposed ? (shape.p, shape.q) : (shape.h, shape.w)
    let imageTiles = height.dividedRoundingUp(by: 4) * width.dividedRoundingUp(by: 4)
    // An image's cells are private memory, too.
    guard !isTransposed || imageTiles <= 16 else { return nil }
    let tiles = shape.n * imageTiles

    var best = Double.infinity
    for vectors in variation.vectorCounts(1...min(7, outputs.dividedRoundingUp(by: 16))) {
      let rows = 26 / vectors
      let cost =
        RegisterTile.waste(outputs, 16 * vectors) * RegisterTile.cycles(rows, vectors, loadCost: 1.3)
        / Double(rows * vectors)
      if cost < best - 1e-9 {
        best = cost
        (self.vectors, self.rows) = (vectors, rows)
      }
    }
    let panel = 16 * vectors
    panelChannels = RegisterTile.block(outputs, vector: 16, vectors: vectors)
    let panels = outputs.dividedRoundingUp(by: panelChannels)

    // Up to 66 tiles a work-item pay for the filter's transform in it. A launch of its own saves most of that where
    // there are more, but its result is four times the filter and should stay in the caches.
    let fusesFilter = fusesFilter ?? (tiles <= 66 || 4 * 36 * inputs * outputs > 1 << 24)
    self.fusesFilter = fusesFilter
    // Blocks whose matrices, 36 of each kind, stay in a core's second cache and, being private memory, on its stack.
    let blocks = (panels * panel).dividedRoundingUp(by: fusesFilter ? 64 : 128)
    blockPanels = panels.dividedRoundingUp(by: blocks)
    let panelBlocks = panels.dividedRoundingUp(by: blockPanels)
    // At most two blocks of rows, or one where the matrices of two pass a core's second cache.
    let mostTiles = Int((4 * 36 * 26 * inputs > 3 << 18 ? 13 : 26) * variation.work)
    // At least two work-items a core, of 13 tiles or more; one where each transforms the filter.
    let items = fusesFilter ? cores : 2 * cores
    let chunks = max(
      tiles.dividedRoundingUp(by: fusesFilter ? 66 : mostTiles),
      min(items.dividedRoundingUp(by: panelBlocks), tiles.dividedRoundingUp(by: 13)))
    images = isTransposed ? shape.n.dividedRoundingUp(by: min(chunks, shape.n)) : 0
    let chunkTiles = isTransposed ? images * imageTiles : tiles.dividedRoundingUp(by: chunks)
    let rowBlocks = chunkTiles.dividedRoundingUp(by: rows)
    rows = chunkTiles.dividedRoundingUp(by: rowBlocks)
    chunk = rows * rowBlocks
    let channels = inputs.dividedRoundingUp(by: inputs.dividedRoundingUp(by: fusesFilter && chunk > 39 ? 32 : 64))
    blockChannels = min(inputs, channels.roundedUp(toMultipleOf: 16))

    global = [tiles.dividedRoundingUp(by: isTransposed ? chunkTiles : chunk), panelBlocks]
    filterGlobal = [inputs.dividedRoundingUp(by: 16), panels]
    workspaceByteCount = fusesFilter ? 0 : 4 * 36 * (panels * panel * inputs + 16)

    // Cycles of a core, measured: a transform of 16 channels of a tile or a filter costs about 100, adding up 6x6 cells
    // half as much again; 40000 are a launch and the caches' misses after it. 1.3 and 1.1 are what misses add to the
    // arithmetic of this and the direct kernel.
    let products = 36 * global[0] * chunk * inputs * panels * panel / 32
    let transforms = 100 * tiles * (filterGlobal[0] * panelBlocks + panels * vectors * (isTransposed ? 3 : 2) / 2)
    let filterTransforms = 100 * inputs * outputs / 16 * (fusesFilter ? global[0] : 1) + (fusesFilter ? 0 : 40000)
    cycles = 1.3 * Double(products + transforms + filterTransforms)
    isFasterThanDirect = cycles <= 1.1 * Double(shape.multiplyAdds / 32)
  }

  /// Tiles and channels of a block of products, and tiles of a work-item.
  var name: String {
    "winograd \(rows)x\(panelChannels) of \(chunk) tiles\(fusesFilter ? ", fused filter" : "")"
      + (images > 0 ? ", transposed" : "")
  }

  var defines: Defines {
    [
      "VECTOR": 16, "TILE_V": vectors, "TILE_M": rows, "CHUNK": chunk, "PANEL_C": panelChannels,
      "BLOCK_PANELS": blockPanels, "BLOCK_C": blockChannels, "FUSED_FILTER": fusesFilter ? 1 : 0,
      "TRANSPOSED": images > 0 ? 1 : 0, "IMAGES": images,
    ]
  }
}

extension ConvolutionShape {
  /// Whether Winograd's kernels can compute the convolution.
  var suitsWinograd: Bool {
    r == 3 && s == 3 && groups == 1 && c >= 8 && k >= 8
      && [window.strideX, window.strideY, window.dilationX, window.dilationY].allSatisfy { $0 == 1 }
  }
}
