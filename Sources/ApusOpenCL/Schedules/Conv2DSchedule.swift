import ApusCore

/// How a pass of a convolution is computed.
enum Conv2DSchedule: KernelSchedule {
  case direct(Conv2DTile)
  case winograd(WinogradTile)
  case depthwise(DepthwiseTile)
  case filterGradient(FilterGradientTile)
  case winogradFilterGradient(WinogradFilterTile)
  /// Of single pixels.
  case matrix(ProductShape, ProductTile)
  case product(TiledProduct)

  var name: String {
    switch self {
    case .direct(let tile): tile.name
    case .winograd(let tile): tile.name
    case .depthwise(let tile): tile.name
    case .filterGradient(let tile): tile.name
    case .winogradFilterGradient(let tile): tile.name
    case .matrix(_, let tile): "matrix \(tile.name)"
    case .product(let product): product.name
    }
  }

  /// Scratch memory of the kernels.
  func workspaceByteCount(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> Int {
    switch self {
    case .direct: pass == .inputGradient ? shape.filterCount * 4 : 0
    case .winograd(let tile): tile.workspaceByteCount
    case .depthwise(let tile): tile.workspaceByteCount
    case .matrix: 0
    case .filterGradient(let tile): tile.sumsInParts ? tile.splits * shape.filterCount * 4 : 0
    case .winogradFilterGradient(let tile): tile.splits == 1 ? 0 : tile.splits * shape.filterCount * 4
    case .product(let product): product.tile.workspaceByteCount(shape.resultCount(pass))
    }
  }

  /// Whether it multiplies and adds as the direct convolution does, only in other blocks.
  var isLikeDirect: Bool {
    switch self {
    case .direct, .matrix: true
    case .winograd, .depthwise, .filterGradient, .winogradFilterGradient, .product: false
    }
  }
}

extension OpenCLBackend {
  /// The schedule for a pass: what was chosen for it, else what the cost models say.
  func conv2DSchedule(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> Conv2DSchedule {
    chosen(shape.problem(pass), usual: usualConv2D(shape, pass)) { conv2DSchedules(shape, pass) }
  }

  private func usualConv2D(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> Conv2DSchedule {
    if kernelClass == .cpu, let tile = DepthwiseTile(shape, pass, cores: device.computeUnits) {
      return .depthwise(tile)
    }
    switch (kernelClass, pass) {
    case (.cpu, .forward), (.cpu, .inputGradient):
      if let tile = winogradTile(shape, pass) { return .winograd(tile) }
      if let product = ProductShape(shape, pass), product.n >= 16 { return .matrix(product, ProductTile(product)) }
      return .direct(Conv2DTile(shape, pass))
    case (.cpu, .filterGradient):
      if let tile = winogradFilterTile(shape) { return .winogradFilterGradient(tile) }
      return .filterGradient(FilterGradientTile(shape))
    case (.gpu, _): return .product(product(shape, pass))
    }
  }

  /// The usual schedule, then those that a tuner tries.
  func conv2DSchedules(_ shape: ConvolutionShape, _ pass: ConvolutionPass) -> [Conv2DSchedule] {
    let cores = device.computeUnits
    var all = [usualConv2D(shape, pass)]
    if kernelClass == .cpu {
      all += TileVariation.ofWork.compactMap { DepthwiseTile(shape, pass, cores: cores, $0).map { .depthwise($0) } }
    }
    switch (kernelClass, pass) {
    case (.cpu, .forward), (.cpu, .inputGradient):
      all += TileVariation.all.map { .direct(Conv2DTile(shape, pass, $0)) }
      if let product = ProductShape(shape, pass) {
        all += productTiles(product).map { .matrix(product, $0) }
      }
      for (fusesFilter, isTransposed) in [(false, false), (true, false), (false, true), (true, true)] {
        all += TileVariation.ofWork.compactMap { variation in
          WinogradTile(
            shape, pass, cores: cores, variation, fusesFilter: fusesFilter, isTransposed: isTransposed
          ).map { .winograd($0) }
        }
      }
    case (.cpu, .filterGradient):
      all += TileVariation.all.map { .filterGradient(FilterGradientTile(shape, $0)) }
      all += FilterGradientTile.Taps.allCases.map { .filterGradient(FilterGradientTile(shape, taps: $0)) }
      all += TileVariation.ofWork.compactMap { variation in
        WinogradFilterTile(shape, cores: cores, variation).map { .winogradFilterGradient($0) }
      }
    case (.gpu, _): all += product(shape, pass).variations(on: context.device).map { .product($0) }
    }
    return all
  }
}
