import ApusCore

/// Blocking of `gemm_narrow_cpu.cl`: products with few columns, which would leave most lanes of a vector empty.
struct NarrowProduct {
  private let rows, blockM, blockK: Int
  let global: [Int]

  /// `nil` for products with more columns, and for those with short sums or few rows along the lanes.
  init?(_ shape: ProductShape, cores: Int) {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    let lanesOfRows = shape.attributes.transposeA
    guard n <= 13, lanesOfRows ? m >= 32 : k >= 64 && m >= 2 else { return nil }
    let step: Int
    if lanesOfRows {
      rows = min(26 / n, m / 16, 4)
      step = 16 * rows
      blockM = min(m.dividedRoundingUp(by: 4 * cores), 512).roundedUp(toMultipleOf: step)
    } else {
      rows = min(26 / n, m, 8)
      step = rows
      // One work-item a core where there are few rows: each has a copy of b.
      blockM = min(m.dividedRoundingUp(by: cores), 64).roundedUp(toMultipleOf: step)
    }
    // A last block of fewer than 16 terms could not move back.
    blockK = min(k, stride(from: 512, to: 16, by: -16).first { k % $0 == 0 || k % $0 >= 16 } ?? 512)
    global = [m.dividedRoundingUp(by: blockM), shape.batch]
  }

  /// Rows of a tile, or vectors of them; rows and depth of a work-item's blocks.
  var name: String { "narrow \(rows) of \(blockM)x\(blockK)" }

  var defines: Defines { ["VECTOR": 16, "TILE_M": rows, "BLOCK_M": blockM, "BLOCK_K": blockK] }
}
