import ApusCore

/// Register blocking of the CPU-class kernels, priced by a model of a core with two vector multiply-adds and two vector
/// loads per cycle, whose multiply-adds need eight in flight.
enum RegisterTile {
  /// Lanes of the vectors that `channels` fill.
  static func vector(_ channels: Int) -> Int { [16, 8, 4].first { $0 <= channels } ?? 1 }

  /// Vectors of a block, for blocks that `channels` can fill.
  static func vectorCounts(_ channels: Int) -> ClosedRange<Int> { 1...min(4, max(1, channels / vector(channels))) }

  /// Vectors of a block whose last one may overlap the one before.
  static func overlappingCounts(_ channels: Int, most: Int = 4) -> ClosedRange<Int> {
    1...min(most, channels.dividedRoundingUp(by: vector(channels)))
  }

  /// Channels of a block of that many vectors: `channels` in even parts.
  static func block(_ channels: Int, vector: Int, vectors: Int) -> Int {
    max(vector, channels.dividedRoundingUp(by: channels.dividedRoundingUp(by: vector * vectors)))
  }

  /// How much more than the useful a dimension of `size` costs in steps of `step`.
  static func waste(_ size: Int, _ step: Int) -> Double {
    Double(size.dividedRoundingUp(by: step) * step) / Double(size)
  }

  /// Cycles of a step that multiplies `rows` broadcast values by `vectors`, loads weighed by `loadCost`.
  static func cycles(_ rows: Int, _ vectors: Int, loadCost: Double = 1) -> Double {
    max(Double(rows * vectors), loadCost * Double(rows + vectors), 8)
  }
}

/// Blocking of `conv2d_cpu.cl`.
struct Conv2DTile {
  var vector = 1, vectors = 1, images = 1, columns = 1, rows = 1
  private let pooling: Pool2DAttributes?
  /// Of a group of the result.
  private let channels: Int
  /// Work-items.
  let global: [Int]

  /// - Parameter pooling: of the result of a forward pass; its windows lie side by side.
  init(
    _ shape: ConvolutionShape, _ pass: ConvolutionPass, _ variation: TileVariation = .init(),
    pooling: Pool2DAttributes? = nil
  ) {
    self.pooling = pooling
    // Whole windows only, in whole tiles.
    let (poolHeight, poolWidth) = (pooling?.height ?? 1, pooling?.width ?? 1)
    let isForward = pass == .forward
    let height = isForward ? shape.p / poolHeight * poolHeight : shape.h
    // The input gradient treats columns of each remainder modulo the stride by themselves.
    let width = isForward ? shape.q / poolWidth * poolWidth : max(1, shape.w / shape.window.strideX)
    let (sourceChannels, resultChannels) = isForward ? (shape.c, shape.k) : (shape.k, shape.c)
    let channels = shape.isDepthwise ? resultChannels : resultChannels / shape.groups
    let terms = shape.r * shape.s * (shape.isDepthwise ? 1 : sourceChannels / shape.groups)
    self.channels = channels
    vector = RegisterTile.vector(channels)
    // A few channels use part of a longer vector: faster than one by one. The filter's copy with full vectors is
    // private memory, which lies on a stack.
    if shape.groups == 1, channels < 16, let longer = [1, 4, 8, 16].first(where: { $0 >= channels }),
      terms * longer <= 1 << 16
    {
      vector = longer
    }

    // Short sums end before many accumulators pay.
    let registers = terms <= 16 ? 16 : 26
    var best = Double.infinity
    for vectors in variation.vectorCounts(1...min(4, channels.dividedRoundingUp(by: vector))) {
      // A block's filters that pass the first cache come from the second.
      let misses = terms * vectors * vector * 4 > 32768 ? 0.5 * Double(vectors) : 0
      for columns in stride(from: poolWidth, through: min(width, registers), by: poolWidth) {
        // Several images only where one's row is too short.
        for images in 1...(columns < width ? 1 : max(1, min(shape.n, registers / columns))) {
          let pixels = images * columns
          if pixels * vectors > registers { continue }
          let waste =
            RegisterTile.waste(width, columns) * RegisterTile.waste(shape.n, images)
            * RegisterTile.waste(channels, vectors * vector)
          // A depthwise step loads its own source vectors.
          let step =
            shape.isDepthwise
            ? Double(pixels * vectors + vectors) : RegisterTile.cycles(pixels, vectors, loadCost: 1.1) + misses
          let cost = waste * (step + 2) / Double(pixels * vectors)
          if cost < best - 1e-9 {
            best = cost
            (self.vectors, self.columns, self.images) = (vectors, columns, images)
          }
        }
      }
    }

    let blocks = channels.dividedRoundingUp(by: vector * vectors) * (shape.isDepthwise ? 1 : shape.groups)
    let imageTiles = shape.n.dividedRoundingUp(by: images)
    // About 40000 vector multiply-adds a work-item hide its launch; at least 64 work-items keep all cores busy.
    let workPerRow = shape.multiplyAdds / (vector * imageTiles * height * blocks)
    rows = max(1, min(height, Int(40000 * variation.work) / max(1, workPerRow)) / poolHeight) * poolHeight
    let fewest = Int(64 / variation.work)
    while rows > poolHeight, imageTiles * height.dividedRoundingUp(by: rows) * blocks < fewest { rows -= poolHeight }
    global = [imageTiles * height.dividedRoundingUp(by: rows), blocks]
  }

  private var block: Int { RegisterTile.block(channels, vector: vector, vectors: vectors) }

  /// Pixels and channels of a block, and rows of a work-item.
  var name: String { "direct \(images)x\(columns)x\(block) rows \(rows)" }

  var defines: Defines {
    [
      "VECTOR": vector, "TILE_V": vectors, "BLOCK": block, "TILE_N": images, "TILE_W": columns,
      "ROWS": rows, "POOL_H": pooling?.height ?? 1, "POOL_W": pooling?.width ?? 1,
      "POOL_MAX": pooling?.kind == .max ? 1 : 0,
    ]
  }
}
