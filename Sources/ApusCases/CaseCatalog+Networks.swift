import ApusCore

/// Convolutions and products as large as those of networks, for benchmarks: the tests do not run them. An input that is
/// not differentiated is one whose gradient networks do not compute, such as the gradient by the pictures.
extension CaseCatalog {
  /// One case for each class of shapes that a CNN meets.
  package static let networks: [OperationCase] = [
    .convolution(batch: 64, size: 28, channels: 1, filters: 32, window: 3, isFirst: true),
    .convolution(batch: 8, size: 224, channels: 3, filters: 64, window: 7, stride: 2, isFirst: true),
    .convolution(batch: 8, size: 56, channels: 64, filters: 64, window: 3),
    .convolution(batch: 8, size: 14, channels: 256, filters: 256, window: 3),
    .convolution(batch: 8, size: 7, channels: 512, filters: 512, window: 3),
    .convolution(batch: 8, size: 28, channels: 256, filters: 128, window: 1),
    .convolution(batch: 8, size: 56, channels: 128, filters: 128, window: 3, groups: 128),
    .product("dense", 64, 1600, 128), .square(1024),
  ]

  /// The convolutions and products of the networks that Apus is measured by, the heaviest kinds first, and square
  /// products, which tell how near a device's peak the tiles come.
  package static func networks(batch: Int) -> [OperationCase] {
    func layer(
      _ size: Int, _ channels: Int, _ filters: Int, window: Int, stride: Int = 1, groups: Int = 1, isFirst: Bool = false
    ) -> OperationCase {
      .convolution(
        batch: batch, size: size, channels: channels, filters: filters, window: window, stride: stride, groups: groups,
        isFirst: isFirst)
    }
    return [
      .square(1024), .square(2048),
      // ResNet-18
      layer(56, 64, 64, window: 3), layer(28, 128, 128, window: 3), layer(14, 256, 256, window: 3),
      layer(7, 512, 512, window: 3), layer(56, 64, 128, window: 3, stride: 2),
      layer(224, 3, 64, window: 7, stride: 2, isFirst: true),
      // the tutorials
      layer(28, 1, 32, window: 3, isFirst: true), layer(14, 32, 64, window: 3), .product("dense", batch, 1600, 128),
      // ResNet-50 and what MobileNets are made of
      layer(56, 64, 256, window: 1), layer(14, 1024, 256, window: 1), layer(56, 128, 128, window: 3, groups: 128),
      .square(4096),
    ]
  }
}

extension OperationCase {
  /// Of square images, padded so that a stride of 1 keeps their size.
  package static func convolution(
    batch: Int, size: Int, channels: Int, filters: Int, window: Int, stride: Int = 1, groups: Int = 1,
    isFirst: Bool = false
  ) -> OperationCase {
    var name = "convolution \(window)x\(window) \(size)x\(size)x\(channels) to \(filters)"
    if stride > 1 { name += " stride \(stride)" }
    if groups > 1 { name += groups == channels ? " depthwise" : " groups \(groups)" }
    let images = [batch, size, size, channels]
    return OperationCase(
      "\(name) batch \(batch)",
      [isFirst ? .fixed(images) : .real(images), .real([window, window, channels / groups, filters])]
    ) { conv2D($0[0], $0[1], stride: (stride, stride), padding: .same, groups: groups) }
  }

  /// Of a matrix [m, k] and a matrix [k, n].
  package static func product(_ name: String, _ m: Int, _ k: Int, _ n: Int) -> OperationCase {
    OperationCase("\(name) \(m)x\(k) by \(k)x\(n)", [m, k], [k, n]) { matMul($0[0], $0[1]) }
  }

  /// Of two square matrices, forward.
  package static func square(_ size: Int) -> OperationCase {
    OperationCase(
      "product \(size)x\(size) by \(size)x\(size)", [.fixed([size, size]), .fixed([size, size])]
    ) { matMul($0[0], $0[1]) }
  }
}
