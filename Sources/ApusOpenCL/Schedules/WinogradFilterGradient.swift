import ApusCore

extension OpenCLBackend {
  /// The blocking for a filter gradient, `nil` where the direct kernel is to serve.
  func winogradFilterTile(_ shape: ConvolutionShape) -> WinogradFilterTile? {
    WinogradFilterTile(shape, cores: device.computeUnits).flatMap { $0.isFasterThanDirect ? $0 : nil }
  }

  /// Filter gradient of a convolution by Winograd's F(4x4, 3x3).
  func winogradFilterGradient(
    _ shape: ConvolutionShape, _ tile: WinogradFilterTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    var defines = shape.defines
    defines.append(tile.defines)
    let source = try source(
      ["vector_cpu", "winograd_transform_cpu", "winograd_filter_gradient_cpu"], defines, for: call)
    let partial = tile.splits == 1 ? call.output.buffer : call.workspace!
    var launches = [
      try launch(
        source, "winograd_filter_gradient", call.inputs.map(\.buffer) + [partial], global: tile.global, local: [1, 1])
    ]
    if tile.splits > 1 { launches.append(try sumParts(tile.splits, in: partial, call)) }
    return OpenCLKernel(launches)
  }
}

/// Blocking of `winograd_filter_gradient_cpu.cl`.
struct WinogradFilterTile {
  /// Tiles transformed at a time. With blocks of 64 channels the matrices fit a core's second cache.
  private static let chunk = 24

  private let vectors, rows, blockC, blockK: Int
  /// Parts into which the sum over tiles is cut; each has a copy of the result in the workspace.
  let splits: Int
  let global: [Int]
  /// Whether its estimated time is lower than that of `conv2d_filter_gradient_cpu.cl`.
  let isFasterThanDirect: Bool

  /// `nil` for the shapes that the other passes refuse.
  init?(_ shape: ConvolutionShape, cores: Int, _ variation: TileVariation = .init()) {
    guard shape.suitsWinograd else { return nil }
    let tiles = shape.n * shape.p.dividedRoundingUp(by: 4) * shape.q.dividedRoundingUp(by: 4)
    (blockC, blockK) = (Self.block(shape.c), Self.block(shape.k))
    let blockVectors = blockK.dividedRoundingUp(by: 16)
    vectors = [2, 3, 1].first { blockVectors % $0 == 0 }!
    rows = Self.rows(blockC, vectors: vectors)
    let blocksC = shape.c.dividedRoundingUp(by: blockC)
    let blocksK = shape.k.dividedRoundingUp(by: blockK)
    // Four work-items a core, of a chunk of tiles or more.
    let items = Int(4 * Double(cores) / variation.work)
    splits = max(1, min(items.dividedRoundingUp(by: blocksC * blocksK), tiles / Self.chunk))
    global = [blocksC * blocksK, splits]

    // Cycles of a core, as for the other passes; this kernel goes through more memory than they do.
    let products = 36 * tiles * blocksC * blockC.roundedUp(toMultipleOf: rows) * blocksK * blockVectors / 2
    let blockTransforms = blockC.dividedRoundingUp(by: 16) + blockVectors
    let transforms = 100 * tiles * blocksC * blocksK * blockTransforms
    let resultTransforms = 100 * splits * shape.c * shape.k / 16
    let direct = shape.multiplyAdds / 32
    isFasterThanDirect = 1.5 * Double(products + transforms + resultTransforms) <= 1.1 * Double(direct)
  }

  /// Channels of a block of sums, and parts of the sum.
  var name: String { "winograd \(rows)x\(16 * vectors) splits \(splits)" }

  /// Channels of x in a block of registers: of 16 to 24 sums, those that fit the block best.
  private static func rows(_ blockC: Int, vectors: Int) -> Int {
    func cost(_ rows: Int) -> Double {
      RegisterTile.waste(blockC, rows) * (RegisterTile.cycles(rows, vectors, loadCost: 1.3) + 0.7) / Double(rows)
    }
    return (16.dividedRoundingUp(by: vectors)...24 / vectors).min { cost($0) < cost($1) }!
  }

  /// Channels of a block: `count` in even parts of at most 64.
  private static func block(_ count: Int) -> Int {
    count.dividedRoundingUp(by: count.dividedRoundingUp(by: 64))
  }

  var defines: Defines {
    [
      "VECTOR": 16, "TILE_V": vectors, "TILE_M": rows, "BLOCK_C": blockC, "BLOCK_K": blockK, "CHUNK": Self.chunk,
      "SPLITS": splits,
    ]
  }
}
