import ApusCore

extension MatMul: OpenCLOperation {
  var takesEpilogue: Bool { true }

  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    let shape = ProductShape(self, request.operands, request.result)
    if shape.k == 0 { return Prepared(takesEpilogue: true) }
    let schedule = backend.productSchedule(shape)
    return Prepared(
      schedule: schedule, workspaceByteCount: schedule.workspaceByteCount(request.result.count), takesEpilogue: true)
  }

  func scheduleChoice(_ request: KernelRequest, on backend: OpenCLBackend) -> ScheduleChoice? {
    let shape = ProductShape(self, request.operands, request.result)
    return shape.k == 0 ? nil : ScheduleChoice(shape.problem, backend.productSchedules(shape))
  }

  /// `op(a) * op(b)` for each matrix of the batch.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let shape = ProductShape(self, call.inputs.map(\.type), call.output.type)
    if shape.k == 0 { return try backend.zeros(call) }
    return switch call.chosen(ProductSchedule.self) {
    case .registers(let tile): try backend.matMul(shape, tile, call)
    case .narrow(let tile): try backend.matMul(shape, "gemm_narrow_cpu", tile.defines, global: tile.global, call)
    case .tiled(let product): try backend.launches(product, "gemm_gpu", "gemm", shape.defines, call)
    }
  }
}

extension OpenCLBackend {
  func matMul(
    _ shape: ProductShape, _ tile: ProductTile, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    try matMul(shape, "gemm_cpu", tile.defines, global: tile.global, call)
  }

  fileprivate func matMul(
    _ shape: ProductShape, _ family: String, _ blocking: Defines, global: [Int], _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    let epilogue = Epilogue(call)
    var defines = shape.defines
    defines.append(blocking)
    let source = try source(["vector_cpu", family], defines, for: call, epilogue: epilogue)
    let arguments = call.inputs.map(\.buffer) + [call.output.buffer] + epilogue.arguments
    return OpenCLKernel([try launch(source, "gemm", arguments, global: global, local: global.map { _ in 1 })])
  }

  /// What was chosen for the product, else what the cost models say.
  fileprivate func productSchedule(_ shape: ProductShape) -> ProductSchedule {
    chosen(shape.problem, usual: usualProduct(shape)) { productSchedules(shape) }
  }

  private func usualProduct(_ shape: ProductShape) -> ProductSchedule {
    switch kernelClass {
    case .cpu:
      NarrowProduct(shape, cores: device.computeUnits).map { .narrow($0) } ?? .registers(ProductTile(shape))
    case .gpu: .tiled(shape.tiled(on: context.device))
    }
  }

  /// The usual schedule, then those that a tuner tries.
  func productSchedules(_ shape: ProductShape) -> [ProductSchedule] {
    var all = [usualProduct(shape)]
    switch kernelClass {
    case .cpu: all += productTiles(shape).map { .registers($0) }
    case .gpu: all += shape.tiled(on: context.device).variations(on: context.device).map { .tiled($0) }
    }
    return all
  }

  /// The blockings that a tuner tries.
  func productTiles(_ shape: ProductShape) -> [ProductTile] {
    TileVariation.all.map { ProductTile(shape, $0) }
      + ProductTile.Packing.allCases.map { ProductTile(shape, packing: $0) }
  }
}

/// How a product is computed: CPU-class or GPU-class.
enum ProductSchedule: KernelSchedule {
  case registers(ProductTile)
  case narrow(NarrowProduct)
  case tiled(TiledProduct)

  var name: String {
    switch self {
    case .registers(let tile): tile.name
    case .narrow(let tile): tile.name
    case .tiled(let product): product.name
    }
  }

  /// Scratch memory of the kernels for a result of `count` elements.
  func workspaceByteCount(_ count: Int) -> Int {
    switch self {
    case .registers, .narrow: 0
    case .tiled(let product): product.tile.workspaceByteCount(count)
    }
  }
}

/// Extents of a batch of products: c [batch, M, N] = op(a) [M, K] * op(b) [K, N].
struct ProductShape {
  let m, n, k, batch: Int
  let attributes: MatMul

  init(_ attributes: MatMul, _ inputs: [TensorType], _ output: TensorType) {
    let (a, c) = (inputs[0].shape, output.shape)
    (m, n) = (c[c.count - 2], c[c.count - 1])
    k = a[a.count - (attributes.transposeA ? 2 : 1)]
    batch = c.dropLast(2).reduce(1, *)
    self.attributes = attributes
  }

  /// A pass over a convolution of single pixels: y [N*P*Q, K] = x [N*H*W, C] * f [C, K] or dx = dy * f'. `nil` for
  /// other windows and for the filter gradient, whose long sum is cut into parts.
  init?(_ shape: ConvolutionShape, _ pass: ConvolutionPass) {
    guard shape.isPixelwise, pass != .filterGradient else { return nil }
    let isForward = pass == .forward
    (m, n, k) = (shape.n * shape.p * shape.q, isForward ? shape.k : shape.c, isForward ? shape.c : shape.k)
    batch = 1
    attributes = MatMul(transposeA: false, transposeB: !isForward)
  }

  var defines: Defines {
    [
      "M": m, "N": n, "K": k, "BATCH": batch, "TRANSPOSE_A": attributes.transposeA ? 1 : 0,
      "TRANSPOSE_B": attributes.transposeB ? 1 : 0, "A_BATCH_STRIDE": m * k, "B_BATCH_STRIDE": k * n,
    ]
  }

  /// The key of products of these shapes.
  var problem: String { "gemm \(attributes) \(m)x\(k)x\(n)\(batch == 1 ? "" : " batch \(batch)")" }

  func tiled(on device: OpenCLDevice) -> TiledProduct {
    TiledProduct(rows: m, columns: n, depth: k, slices: batch, on: device)
  }
}

/// Blocking of `gemm_cpu.cl`.
struct ProductTile {
  var vector = 1, vectors = 1, rows = 1
  /// Of a tile.
  let columns: Int
  var blockM, blockN, blockK: Int
  let packsA, packsB: Bool
  let global: [Int]

  /// Operands that are copied before they are multiplied.
  enum Packing: CaseIterable { case none, b, both }

  /// - Parameter packing: `nil` leaves it to the model.
  init(_ shape: ProductShape, _ variation: TileVariation = .init(), packing: Packing? = nil) {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    // An operand that does not stay in the caches is worth a copy: b, which every tile reads, and a if each term of its
    // rows lies in a line of its own.
    let isLarge = packing.map { $0 != .none } ?? (m * n * k >= 1 << 28)
    packsA = packing.map { $0 == .both } ?? (isLarge && shape.attributes.transposeA)
    // Rows of a power of two floats apart compete for the same cache lines.
    let collides = n % 1024 == 0 && m >= 32
    packsB = isLarge || shape.attributes.transposeB || packing == nil && collides
    let mostRows = !shape.attributes.transposeA && !packsA && k % 1024 == 0 ? 8 : 26
    vector = RegisterTile.vector(n)
    var best = Double.infinity
    for vectors in variation.vectorCounts(RegisterTile.overlappingCounts(n, most: 7)) {
      // Columns of b that pass the first cache come from the second; a copy of them is read in order.
      let misses = min(k, 512) * vectors * vector * 4 > 32768 ? (packsB ? 0.25 : 0.5) * Double(vectors) : 0
      for rows in 1...min(m, mostRows) where rows * vectors <= 26 {
        let cost =
          RegisterTile.waste(m, rows) * RegisterTile.waste(n, vectors * vector)
          * (RegisterTile.cycles(rows, vectors, loadCost: 1.3) + misses + 0.7) / Double(rows * vectors)
        if cost < best - 1e-9 {
          best = cost
          (self.vectors, self.rows) = (vectors, rows)
        }
      }
    }
    columns = RegisterTile.block(n, vector: vector, vectors: vectors)
    if packsA {
      (blockM, blockN, blockK) = (256, 512, 256)
    } else if isLarge {
      (blockM, blockN, blockK) = (512, columns, 512)
      while blockM > 64, m.dividedRoundingUp(by: blockM) * n.dividedRoundingUp(by: blockN) < 16 { blockM /= 2 }
    } else {
      (blockM, blockN, blockK) = packsB ? (256, columns, min(k, collides ? 128 : 512)) : (rows, columns, min(k, 512))
      // Enough work for an item, while there are items for all cores.
      while blockM < m, blockM * blockN * (packsB ? blockK : k) < Int(200_000 * variation.work),
        m.dividedRoundingUp(by: blockM * 2) * n.dividedRoundingUp(by: blockN) >= Int(16 / variation.work)
      {
        blockM *= 2
      }
    }
    func even(_ size: Int, _ block: Int, _ step: Int) -> Int {
      min(size, size.dividedRoundingUp(by: size.dividedRoundingUp(by: block)).roundedUp(toMultipleOf: step))
    }
    blockM = even(m, blockM, rows)
    blockN = even(n, blockN, columns)
    blockK = min(k, blockK)
    global = [m.dividedRoundingUp(by: blockM), n.dividedRoundingUp(by: blockN), shape.batch]
  }

  /// Rows and columns of a block of registers; rows, columns and depth of a work-item's; what is copied.
  var name: String {
    let packed = (packsA ? "a" : "") + (packsB ? "b" : "")
    return "\(rows)x\(columns) of \(blockM)x\(blockN)x\(blockK)" + (packed.isEmpty ? "" : " packed \(packed)")
  }

  var defines: Defines {
    [
      "VECTOR": vector, "TILE_V": vectors, "TILE_M": rows, "TILE_N": columns, "BLOCK_M": blockM, "BLOCK_N": blockN,
      "BLOCK_K": blockK, "PACK_A": packsA ? 1 : 0, "PACK_B": packsB ? 1 : 0,
    ]
  }
}
