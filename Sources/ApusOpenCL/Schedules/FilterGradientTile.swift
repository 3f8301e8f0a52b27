import ApusCore

/// Blocking of `conv2d_filter_gradient_cpu.cl`.
struct FilterGradientTile {
  /// What of the filter a block of registers holds: a tap of several channels, or a row or all of its taps.
  enum Taps: CaseIterable { case one, row, all }

  /// A block of registers: `rows` values, broadcast or of a channel each, by vectors.
  private struct Block {
    var lanesOfInputs = false
    var vector = 1, vectors = 1, tapRows = 1, tapColumns = 1, channels = 1
    var cost = Double.infinity
    var rows: Int { tapRows * tapColumns * channels }
  }

  private let block: Block
  /// Channels of the block's vectors, of which the last may overlap the one before.
  private let lanes: Int
  /// Parts into which the sum over pixels is cut; each has a copy of the result in the workspace.
  let splits: Int
  private let chunk: Int
  let global: [Int]

  /// Whether vectors hold input channels instead of output channels.
  var lanesOfInputs: Bool { block.lanesOfInputs }
  /// Whether a second launch makes the result of what lies in the workspace.
  var sumsInParts: Bool { splits > 1 || lanesOfInputs }

  /// - Parameter taps: `nil` leaves it to the model, and so do several where the kernel cannot have them.
  init(_ shape: ConvolutionShape, _ variation: TileVariation = .init(), taps: Taps? = nil) {
    let candidates = Self.blocks(shape, variation, taps)
    block = candidates.dropFirst().reduce(candidates[0]) { $1.cost < $0.cost - 1e-9 ? $1 : $0 }
    let (outputs, inputs) = Self.channels(shape, lanesOfInputs: block.lanesOfInputs)
    lanes = RegisterTile.block(outputs, vector: block.vector, vectors: block.vectors)
    let blocks =
      outputs.dividedRoundingUp(by: lanes) * (shape.isDepthwise ? 1 : shape.groups) * (shape.r / block.tapRows)
      * (shape.s / block.tapColumns)
    var parts = Int(64 / variation.work).dividedRoundingUp(by: blocks)
    if inputs <= block.channels, blocks > 1, !shape.isDepthwise {
      // All blocks read the same part of the gradient: it should stay in the second cache, but be much larger than the
      // sums that a part costs.
      let gradient = shape.n * shape.p * shape.q * shape.k
      parts = max(parts, min(gradient / (1 << 17), gradient / (8 * shape.filterCount)))
    }
    splits = min(shape.n * shape.p, parts)
    if inputs > block.channels {
      chunk = max(1, 100.dividedRoundingUp(by: shape.q))
    } else {
      let copies = block.tapRows * block.tapColumns > 1 && !shape.isDepthwise
      // At most about 1000 pixels: the sums of many such chunks keep more digits than one long sum.
      chunk = copies ? max(1, min(shape.p, 8192 / Self.lineCount(shape))) : max(1, 1024 / shape.q)
    }
    global = [blocks, splits]
  }

  /// Channels of a group along the lanes, and along the rows of a block.
  private static func channels(_ shape: ConvolutionShape, lanesOfInputs: Bool) -> (lanes: Int, rows: Int) {
    if shape.isDepthwise { return (shape.k, 1) }
    return lanesOfInputs ? (shape.groupC, shape.groupK) : (shape.groupK, shape.groupC)
  }

  /// Elements of x that a row of the result takes more than the row before.
  private static func lineCount(_ shape: ConvolutionShape) -> Int {
    shape.window.strideY * ((shape.q - 1) * shape.window.strideX + shape.s) * shape.c
  }

  /// All blocks that fit the registers, priced.
  private static func blocks(_ shape: ConvolutionShape, _ variation: TileVariation, _ taps: Taps?) -> [Block] {
    (shape.groups == 1 && shape.c >= 16 ? [false, true] : [false]).flatMap { lanesOfInputs in
      let (lanes, rows) = channels(shape, lanesOfInputs: lanesOfInputs)
      let vector = RegisterTile.vector(lanes)
      var shapes = (1...min(rows, 26)).map { (1, 1, $0) }
      // A few input channels: whole rows of the filter, or all of it. They copy lines to private memory.
      let fewInputs = shape.groups == 1 && lineCount(shape) * shape.r <= 1 << 15
      if shape.isDepthwise || fewInputs, !lanesOfInputs {
        let row = (1, shape.s, rows), all = (shape.r, shape.s, rows)
        switch taps {
        case .one: break
        case .row where shape.s * rows <= 26: shapes = [row]
        case .all where shape.r * shape.s * rows <= 26: shapes = [all]
        case .row, .all, nil: shapes += [row, all]
        }
      }
      return variation.vectorCounts(RegisterTile.overlappingCounts(lanes)).flatMap { vectors in
        shapes.compactMap { shape in
          let block = Block(
            lanesOfInputs: lanesOfInputs, vector: vector, vectors: vectors, tapRows: shape.0, tapColumns: shape.1,
            channels: shape.2)
          return block.rows * vectors <= 26 ? block : nil
        }
      }
    }.map { block in
      var block = block
      block.cost = cost(block, shape)
      return block
    }
  }

  /// Cycles for the useful work of a full vector.
  private static func cost(_ block: Block, _ shape: ConvolutionShape) -> Double {
    let (lanes, rows) = channels(shape, lanesOfInputs: block.lanesOfInputs)
    let (vectors, width) = (block.vectors, block.vectors * block.vector)
    let products = Double(block.rows * vectors)
    let waste = RegisterTile.waste(rows, block.channels) * RegisterTile.waste(lanes, width)
    // Each value of a depthwise block is a vector, and both operands come from far away.
    if shape.isDepthwise { return waste * (products + Double(9 * vectors) + 2) / products }
    var cost = waste * (RegisterTile.cycles(block.rows, vectors, loadCost: 1.1) + 2) / products
    // One tile of rows streams the other operand from far away, for few multiply-adds each.
    if rows <= block.channels { cost += 5 / Double(block.rows) }
    if width < min(64, lanes) { cost += 0.1 }
    // The sums of input channels are transposed in a launch of its own.
    return cost * Double(16 / block.vector) + (block.lanesOfInputs ? 0.1 : 0)
  }

  /// Taps and channels of a block, and parts of the sum.
  var name: String {
    let taps = "\(block.tapRows)x\(block.tapColumns)x\(block.channels)x\(lanes)"
    return "direct \(taps)\(lanesOfInputs ? " of inputs" : "") splits \(splits)"
  }

  var defines: Defines {
    [
      "LANES_C": lanesOfInputs ? 1 : 0, "VECTOR": block.vector, "TILE_V": block.vectors, "BLOCK": lanes,
      "TILE_R": block.tapRows, "TILE_S": block.tapColumns, "TILE_C": block.channels, "SPLITS": splits, "CHUNK": chunk,
    ]
  }
}
