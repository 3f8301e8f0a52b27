import ApusCore
internal import CVector

/// How a pass of a convolution is computed.
enum Conv2DSchedule: KernelSchedule {
  case fewChannels(apus_few_channels)
  case depthwise(apus_depthwise)
  case fewFilters(apus_few_filters)
  case winograd(WinogradProduct)
  case winogradFilterGradient(WinogradFilterGradient)
  #if OneDNN
    /// Over the cells that 1x1 filters read, laid out side by side.
    case sampled(ConvolutionShape)
    case imageByImage
    case library
  #endif
  /// In the package's own loops.
  case product

  /// The ways that there are, in the order in which they are preferred; each tells whether it serves a pass and is
  /// faster than those after it.
  private static let candidates: [@Sendable (ConvolutionPass, ConvolutionShape) -> Self?] = [
    { pass, shape in shape.fewChannels(pass).map { .fewChannels($0) } },
    { pass, shape in shape.depthwise(pass).map { .depthwise($0) } },
    { pass, shape in shape.fewFilters(pass).map { .fewFilters($0) } },
    { pass, shape in WinogradProduct.fastest(pass, shape).map { .winograd($0) } },
    { pass, shape in WinogradFilterGradient(pass, shape).map { .winogradFilterGradient($0) } },
  ]

  #if OneDNN
    /// The same with oneDNN; the last one serves all.
    private static let libraryCandidates: [@Sendable (ConvolutionPass, ConvolutionShape) -> Self?] =
      candidates + [
        { pass, shape in shape.sampled(pass).map { .sampled($0) } },
        { pass, shape in shape.isSummedImageByImage(pass) ? .imageByImage : nil },
        // oneDNN may add all terms of a window one after the other.
        { pass, shape in pass == .forward && shape.filterCount / shape.k > MatMulShape.longSum ? .product : nil },
        { _, _ in .library },
      ]
  #endif

  /// The first that serves.
  init(_ pass: ConvolutionPass, _ shape: ConvolutionShape, oneDNN: Bool) {
    self = Self.candidates(oneDNN: oneDNN).lazy.compactMap { $0(pass, shape) }.first ?? .product
  }

  /// The first that serves, then all others, also those that are thought to be slower: what a tuner tries.
  static func all(_ pass: ConvolutionPass, _ shape: ConvolutionShape, oneDNN: Bool) -> [Self] {
    candidates(oneDNN: oneDNN).compactMap { $0(pass, shape) }
      + WinogradProduct.ways(pass, shape).map { .winograd($0) } + [.product]
  }

  private static func candidates(oneDNN: Bool) -> [@Sendable (ConvolutionPass, ConvolutionShape) -> Self?] {
    #if OneDNN
      if oneDNN { return libraryCandidates }
    #endif
    return candidates
  }

  var name: String {
    switch self {
    case .fewChannels: return "few channels"
    case .depthwise: return "depthwise"
    case .fewFilters: return "few filters"
    case .winograd(let product): return product.isTransposed ? "winograd, transposed" : "winograd"
    case .winogradFilterGradient: return "winograd"
    #if OneDNN
      case .sampled: return "oneDNN on gathered cells"
      case .imageByImage: return "oneDNN image by image"
      case .library: return "oneDNN"
    #endif
    case .product: return "product"
    }
  }

  /// For cells that are laid out for oneDNN; all other kernels bring their own scratch memory, shared by all of them.
  var workspaceByteCount: Int {
    #if OneDNN
      if case .sampled(let cells) = self { return cells.n * cells.h * cells.w * cells.c * MemoryLayout<Float>.stride }
    #endif
    return 0
  }

  /// Whether the forward pass adds to what the result holds. The others write a result before they read what is added
  /// to it.
  var addsToResult: Bool {
    switch self {
    case .fewChannels, .depthwise, .fewFilters, .winogradFilterGradient, .product: return false
    case .winograd: return true
    #if OneDNN
      case .sampled, .imageByImage, .library: return true
    #endif
    }
  }
}
