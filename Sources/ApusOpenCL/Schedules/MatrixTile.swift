import ApusCore

/// Tiling of `matrix_tile_gpu.cl`, on which the GPU-class products and convolutions are built.
struct MatrixTile {
  /// Rows, columns and depth of a tile, and what of it one work-item computes.
  let m, n, k, workM, workN: Int
  /// Parts into which the sum is cut.
  var splits = 1
  /// Speed against the largest tile, which reads the least for each multiply-add.
  private let speed: Double

  private init(_ m: Int, _ n: Int, _ k: Int, _ workM: Int, _ workN: Int, speed: Double) {
    (self.m, self.n, self.k, self.workM, self.workN, self.speed) = (m, n, k, workM, workN, speed)
  }

  private static let all = [
    MatrixTile(128, 128, 8, 8, 8, speed: 1), MatrixTile(128, 32, 16, 8, 4, speed: 0.7),
    MatrixTile(64, 64, 16, 4, 4, speed: 0.7), MatrixTile(32, 32, 16, 4, 4, speed: 0.4),
    MatrixTile(16, 16, 4, 4, 4, speed: 0.15),
  ]

  /// The tilings of a product of `rows` x `depth` by `depth` x `columns`, `slices` times, that the device can have;
  /// that of the lowest estimated cost first.
  static func choices(rows: Int, columns: Int, depth: Int, slices: Int, on device: OpenCLDevice) -> [MatrixTile] {
    let units = device.description.computeUnits
    func cost(_ tile: MatrixTile) -> Double {
      let groups = tile.groups(rows, columns) * slices
      let filled = min(1, Double(groups * tile.mostSplits(depth)) / Double(units))
      return Double(groups * tile.m * tile.n) / (tile.speed * filled)
    }
    let fitting = all.filter { $0.fits(device) }
    return (fitting.isEmpty ? [all.last!] : fitting).sorted { cost($0) < cost($1) }.map { tile in
      // Two work-groups a compute unit hide each other's waits.
      var tile = tile
      let groups = tile.groups(rows, columns) * slices
      let wanted = groups >= units ? 1 : (2 * units).dividedRoundingUp(by: groups)
      // The sums of several parts keep more digits than one long sum; they take up to 64 MB.
      let long = min(depth / 8192, (1 << 24) / (rows * columns * slices))
      tile.splits = min(tile.mostSplits(depth), max(wanted, long))
      return tile
    }
  }

  /// Rows, columns and depth, and parts of the sum.
  var name: String { "tile \(m)x\(n)x\(k) splits \(splits)" }

  /// The same with other numbers of parts.
  func withOtherSplits(depth: Int) -> [MatrixTile] {
    [1, splits / 2, splits * 2, splits * 4].filter { (1...mostSplits(depth)).contains($0) && $0 != splits }.map {
      var tile = self
      tile.splits = $0
      return tile
    }
  }

  var groupSize: Int { (m / workM) * (n / workN) }

  private func fits(_ device: OpenCLDevice) -> Bool {
    groupSize <= device.maximumWorkGroupSize && 8 * k * (m + n + 8) <= device.localMemoryBytes
  }

  private func groups(_ rows: Int, _ columns: Int) -> Int {
    rows.dividedRoundingUp(by: m) * columns.dividedRoundingUp(by: n)
  }

  /// Parts of at least eight steps.
  private func mostSplits(_ depth: Int) -> Int { max(1, min(64, depth / (8 * k))) }

  var defines: Defines {
    ["TILE_M": m, "TILE_N": n, "TILE_K": k, "WORK_M": workM, "WORK_N": workN, "SPLITS": splits]
  }

  func global(rows: Int, columns: Int, slices: Int) -> [Int] {
    [groups(rows, columns) * groupSize, slices * splits]
  }

  /// Bytes for the parts of a result of `count` elements.
  func workspaceByteCount(_ count: Int) -> Int { splits == 1 ? 0 : splits * count * 4 }
}

/// A product for `matrix_tile_gpu.cl`: extents and tiling.
struct TiledProduct {
  let rows, columns, depth, slices: Int
  private(set) var tile: MatrixTile

  init(rows: Int, columns: Int, depth: Int, slices: Int, on device: OpenCLDevice) {
    (self.rows, self.columns, self.depth, self.slices) = (rows, columns, depth, slices)
    tile = MatrixTile.choices(rows: rows, columns: columns, depth: depth, slices: slices, on: device)[0]
  }

  var name: String { tile.name }

  /// With the other tilings, and the two most promising ones cut otherwise.
  func variations(on device: OpenCLDevice) -> [TiledProduct] {
    let tiles = MatrixTile.choices(rows: rows, columns: columns, depth: depth, slices: slices, on: device)
    return (tiles + tiles.prefix(2).flatMap { $0.withOtherSplits(depth: depth) }).map { tile in
      var product = self
      product.tile = tile
      return product
    }
  }
}

extension OpenCLBackend {
  /// The launches of a tiled product: one, or the parts and their sum.
  func launches(
    _ product: TiledProduct, _ family: String, _ entry: String, _ defines: Defines, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let epilogue = Epilogue(call)
    var all = defines
    all.append(product.tile.defines)
    let source = try source([family, "matrix_tile_gpu"], all, for: call, epilogue: epilogue)
    let inputs = call.inputs.map(\.buffer)
    let global = product.tile.global(rows: product.rows, columns: product.columns, slices: product.slices)
    let local = [product.tile.groupSize, 1]
    guard product.tile.splits > 1 else {
      let arguments = inputs + [call.output.buffer] + epilogue.arguments
      return OpenCLKernel([try launch(source, entry, arguments, global: global, local: local)])
    }
    let workspace = call.workspace!
    return OpenCLKernel([
      try launch(source, entry + "_partial", inputs + [workspace], global: global, local: local),
      try launch(
        source, entry + "_finish", [workspace, call.output.buffer] + epilogue.arguments, each: call.output.type.count),
    ])
  }
}
