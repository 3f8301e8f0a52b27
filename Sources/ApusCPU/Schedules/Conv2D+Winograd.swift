import ApusCore
internal import CThreads
internal import CVector

// Convolutions with 3x3 filters and stride 1 by Winograd's F(2x2, 3x3), where that is faster than direct sums.
//
// Costs are counted in cycles with two multiply-adds of 16 lanes each and fitted to measurements: a transform takes
// about 3 cycles for a tile and a channel.
extension CPUBackend {
  /// A forward pass or an input gradient by Winograd's method, with the epilogue.
  func winograd(
    _ pass: ConvolutionPass, _ product: WinogradProduct, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
    _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let native = product.isTransposed ? nil : NativeEpilogue(invocation)
    let (source, target) = pass == .forward ? (image, result) : (result, image)
    let version = invocation.versions[1]
    let kept = version == nil ? nil : try allocate(product.filterByteCount)
    let body = try product.body(
      source: source.floats, filter: filter.floats, epilogue: native, target: target.floats, kept: kept,
      version: version, scratch: workScratch, memoryLimit: device.memoryBytes)
    let finish = native == nil ? try epilogueProgram(invocation)?.loop(over: invocation.output.count) : nil
    return {
      body()
      finish?()
    }
  }

  /// A filter gradient by Winograd's method, with the epilogue.
  func winograd(
    _ gradient: WinogradFilterGradient, _ image: Operand<CPUBuffer>, _ filter: Operand<CPUBuffer>,
    _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let body = try gradient.body(
      image: image.floats, result: result.floats, filter: filter.floats, scratch: workScratch,
      memoryLimit: device.memoryBytes)
    let finish = try epilogueProgram(invocation)?.loop(over: invocation.output.count)
    return {
      body()
      finish?()
    }
  }
}

/// A pass that multiplies transformed tiles by transformed filters.
struct WinogradProduct {
  private let sizes: apus_winograd
  /// The product's own view of them: channels are what it sums over.
  private let productSizes: apus_winograd
  private let layout: (tap: Int, channel: Int, filter: Int, isTurned: Bool)
  /// Whether tiles of the result's gradient give to the image, instead of tiles of one array taking from another.
  let isTransposed: Bool
  /// Tiles; or images, whose tiles overlap where they give to.
  private let units: Int
  private let tilesOfUnit: Int
  /// Units are worked on in chunks whose transformed tiles stay in the second cache.
  private let chunks: Int
  private let cost: Double

  /// The pass in the way that is fastest; `nil` where direct sums are faster, and for the filter gradient.
  static func fastest(_ pass: ConvolutionPass, _ shape: ConvolutionShape) -> Self? {
    let ways = ways(pass, shape)
    guard let best = ways.min(by: { $0.cost < $1.cost }) else { return nil }
    return best.cost < ways[0].productSizes.directCost ? best : nil
  }

  /// All ways that there are, whatever they cost.
  static func ways(_ pass: ConvolutionPass, _ shape: ConvolutionShape) -> [Self] {
    guard shape.suitsWinograd, pass != .filterGradient else { return [] }
    return pass == .forward ? [Self(forward: shape)] : [Self(turned: shape), Self(transposed: shape)].compactMap { $0 }
  }

  private init(forward shape: ConvolutionShape) {
    let sizes = shape.winograd
    self.init(sizes, sizes, (shape.c * shape.k, shape.k, 1, false), isTransposed: false, units: sizes.tileCount)
  }

  /// The input gradient as the forward pass over the result's gradient with turned filters, whose channels and numbers
  /// change places.
  private init(turned shape: ConvolutionShape) {
    let sizes = shape.turnedWinograd
    self.init(sizes, sizes, (shape.c * shape.k, 1, shape.k, true), isTransposed: false, units: sizes.tileCount)
  }

  /// The input gradient as the transpose of the forward pass: without padding it has fewer tiles. `nil` where images
  /// are too few for all threads or too large to be worked on in one piece.
  private init?(transposed shape: ConvolutionShape) {
    let (sizes, productSizes) = (shape.winograd, shape.turnedWinograd)
    self.init(
      sizes, productSizes, (shape.c * shape.k, 1, shape.k, false), isTransposed: true, units: shape.n)
    guard tilesOfUnit <= Self.longestChunk(productSizes), units >= Int(apus_thread_count()) else { return nil }
  }

  private init(
    _ sizes: apus_winograd, _ productSizes: apus_winograd,
    _ layout: (tap: Int, channel: Int, filter: Int, isTurned: Bool), isTransposed: Bool, units: Int
  ) {
    (self.sizes, self.productSizes, self.layout) = (sizes, productSizes, layout)
    (self.isTransposed, self.units) = (isTransposed, units)
    let tiles = sizes.tileCount
    tilesOfUnit = tiles / units
    let longest = max(1, Self.longestChunk(productSizes) / tilesOfUnit)
    let threads = Int(apus_thread_count())
    chunks = min(((units + longest - 1) / longest + threads - 1) / threads * threads, units)
    let (channels, filters) = (productSizes.channels.lanes, productSizes.filters.lanes)
    let transforms = 3 * (channels + filters) + (isTransposed ? 3 * filters : 0)
    cost = Double(tiles) * (0.525 * productSizes.productSize + transforms) + 16 * channels * filters
  }

  /// In tiles.
  private static func longestChunk(_ sizes: apus_winograd) -> Int { sizes.channels <= 128 ? 72 : 48 }

  /// Memory of the transformed filters.
  var filterByteCount: Int {
    var sizes = productSizes
    return Int(apus_winograd_filter_count(&sizes)) * MemoryLayout<Float>.stride
  }

  /// - Parameters:
  ///   - epilogue: `nil` for a transposed pass, which adds up results in several steps.
  ///   - kept: memory for the transformed filters where they stay the same until `version` changes; else they lie in
  ///     scratch memory.
  func body(
    source: UnsafeMutablePointer<Float>, filter: UnsafeMutablePointer<Float>, epilogue: NativeEpilogue?,
    target: UnsafeMutablePointer<Float>, kept: CPUBuffer?, version: ParameterVersion?, scratch: Scratch,
    memoryLimit: Int
  ) throws(BackendError) -> () -> Void {
    var productSizes = productSizes
    let (units, chunks, isTransposed) = (units, chunks, isTransposed)
    let filterCount = kept == nil ? filterByteCount / MemoryLayout<Float>.stride : 0
    let longest = (units + chunks - 1) / chunks * tilesOfUnit
    let stride = Int(apus_winograd_scratch(&productSizes, Int64(longest))).roundedUpToLine
    try scratch.reserve(
      (filterCount + Int(apus_thread_count()) * stride) * MemoryLayout<Float>.stride, limit: memoryLimit)

    let filters = apus_winograd_filters(
      data: filter, tap: Int64(layout.tap), channel: Int64(layout.channel), filter: Int64(layout.filter),
      turned: layout.isTurned ? 1 : 0)
    let transform = parallelLoop(over: Int(apus_winograd_panel_count(&productSizes))) { [productSizes] range, _ in
      var (sizes, filters) = (productSizes, filters)
      apus_winograd_transform_filters(
        &sizes, &filters, Int64(range.lowerBound), Int64(range.upperBound),
        kept?.floats ?? scratch.floats(part: 0, stride: 0))
    }
    let multiply = parallelLoop(over: chunks) { [sizes] range, part in
      var sizes = sizes
      let work = scratch.floats(part: 0, stride: 0)
      let (transformed, own) = (kept?.floats ?? work, work + filterCount + part * stride)
      for chunk in range {
        let first = Int64(units * chunk / chunks)
        let count = Int64(units * (chunk + 1) / chunks) - first
        if isTransposed {
          apus_winograd_input_gradient(&sizes, source, transformed, first, count, own, target)
        } else {
          apus_winograd_forward(
            &sizes, source, transformed, epilogue?.bias, epilogue?.addend, epilogue?.relu ?? false ? 1 : 0, first,
            count, own, target)
        }
      }
    }
    var transformedVersion = -1
    return {
      let current = version?.count ?? transformedVersion + 1
      if current != transformedVersion { transform() }
      transformedVersion = current
      multiply()
    }
  }
}

/// The filter gradient: blocks of channels and filters, each summed over parts of the tiles.
struct WinogradFilterGradient {
  private let sizes: apus_winograd
  private let tiles: Int
  private let blocks: Int
  /// Parts of the tiles. Twice as many halve the time of a thread's sums and double that of adding them up, so they grow
  /// with the square root of the tiles. They do not depend on the number of threads, and so the result does not.
  private let parts: Int

  /// `nil` where direct sums are faster, and for other passes.
  init?(_ pass: ConvolutionPass, _ shape: ConvolutionShape) {
    guard shape.suitsWinograd, pass == .filterGradient else { return nil }
    var sizes = shape.winograd
    blocks = Int(apus_winograd_block_count(&sizes))
    tiles = sizes.tileCount
    var parts = 1
    while blocks * parts < 16, tiles >= 1024 * parts * parts { parts *= 2 }
    self.parts = parts
    self.sizes = sizes
    let (channels, filters) = (sizes.channels.lanes, sizes.filters.lanes)
    let (channelBlocks, filterBlocks) = ((channels / 64).rounded(.up), (filters / 64).rounded(.up))
    let perTile = 0.535 * sizes.productSize + 3 * (channels * filterBlocks + filters * channelBlocks)
    guard Double(tiles) * perTile + 16 * channels * filters < sizes.directCost else { return nil }
  }

  func body(
    image: UnsafeMutablePointer<Float>, result: UnsafeMutablePointer<Float>, filter: UnsafeMutablePointer<Float>,
    scratch: Scratch, memoryLimit: Int
  ) throws(BackendError) -> () -> Void {
    let (tiles, blocks, parts) = (tiles, blocks, parts)
    let (stride, blockSize) = (Int(apus_winograd_gradient_scratch()), Int(apus_winograd_block_size()))
    let sumCount = blocks * parts * blockSize
    try scratch.reserve(
      (sumCount + Int(apus_thread_count()) * stride) * MemoryLayout<Float>.stride, limit: memoryLimit)
    let accumulate = parallelLoop(over: blocks * parts) { [sizes] range, part in
      var sizes = sizes
      let sums = scratch.floats(part: 0, stride: 0)
      for index in range {
        let (tilePart, block) = (index / blocks, index % blocks)
        let (first, end) = (tiles * tilePart / parts, tiles * (tilePart + 1) / parts)
        apus_winograd_accumulate(
          &sizes, image, result, Int64(block), Int64(first), Int64(end - first), sums + sumCount + part * stride,
          sums + index * blockSize)
      }
    }
    let finish = parallelLoop(over: Int(sizes.channels)) { [sizes] range, _ in
      var sizes = sizes
      apus_winograd_finish(
        &sizes, scratch.floats(part: 0, stride: 0), Int64(parts), Int64(range.lowerBound), Int64(range.upperBound),
        filter)
    }
    return {
      accumulate()
      finish()
    }
  }
}

extension ConvolutionShape {
  fileprivate var suitsWinograd: Bool {
    r == 3 && s == 3 && groups == 1 && window.strideY == 1 && window.strideX == 1 && window.dilationY == 1
      && window.dilationX == 1
  }

  fileprivate var winograd: apus_winograd {
    apus_winograd(
      images: Int64(n), height: Int64(h), width: Int64(w), channels: Int64(c), result_height: Int64(p),
      result_width: Int64(q), filters: Int64(k), top: Int64(window.top), left: Int64(window.left))
  }

  /// From the result's gradient to the image's.
  fileprivate var turnedWinograd: apus_winograd {
    apus_winograd(
      images: Int64(n), height: Int64(p), width: Int64(q), channels: Int64(k), result_height: Int64(h),
      result_width: Int64(w), filters: Int64(c), top: Int64(2 - window.top), left: Int64(2 - window.left))
  }
}

extension apus_winograd {
  fileprivate var tileCount: Int {
    var sizes = self
    return Int(apus_winograd_tile_count(&sizes))
  }

  /// Multiply-adds of a tile and a point, with those of empty lanes.
  fileprivate var productSize: Double {
    var sizes = self
    return Double(channels * filters) / apus_winograd_filling(&sizes)
  }

  /// Cycles of direct sums.
  fileprivate var directCost: Double {
    Double(images * result_height * result_width) * Double(channels) * filters.lanes * 9 / 32
  }
}

extension Int64 {
  /// Lanes of the registers of 16 that so many channels take.
  fileprivate var lanes: Double { Double((self + 15) / 16 * 16) }
}
