import Operations

extension Operation {
  /// The convolutions and products of the networks that Apus is measured by, the heaviest kinds first, and square
  /// products, which tell how near a device's peak the tiles come.
  static func ofNetworks(batchSize: Int) -> [Operation] {
    func square(_ size: Int) -> [Operation] { product("product", size, size, size, passes: [.forward]) }
    func same(_ size: Int, _ channels: Int, _ filters: Int, window: Int, stride: Int = 1) -> [Operation] {
      convolution(batch: batchSize, size: size, channels: channels, filters: filters, window: window, stride: stride)
    }
    // The gradient by a network's pictures is never computed.
    func first(_ size: Int, _ channels: Int, _ filters: Int, window: Int, stride: Int = 1) -> [Operation] {
      convolution(
        batch: batchSize, size: size, channels: channels, filters: filters, window: window, stride: stride,
        passes: [.forward, .filterGradient])
    }
    return square(1024) + square(2048)
      // ResNet-18
      + same(56, 64, 64, window: 3) + same(28, 128, 128, window: 3) + same(14, 256, 256, window: 3)
      + same(7, 512, 512, window: 3) + same(56, 64, 128, window: 3, stride: 2)
      + first(224, 3, 64, window: 7, stride: 2)
      // the tutorials
      + first(28, 1, 32, window: 3) + same(14, 32, 64, window: 3) + product("dense", batchSize, 1600, 128)
      // ResNet-50 and what MobileNets are made of
      + same(56, 64, 256, window: 1) + same(14, 1024, 256, window: 1)
      + convolution(batch: batchSize, size: 56, channels: 128, filters: 128, window: 3, groups: 128)
      + square(4096)
  }

  /// Of both operands and the forward result.
  var bytes: Double {
    let elements = [shapes.a, shapes.b].map { $0.reduce(1, *) }
    // operations = 2 * elements of the forward result * terms of each
    let terms = shapes.b.dropLast().reduce(1, *)
    let result = operations / (2 * Double(terms))
    return 4 * (Double(elements[0] + elements[1]) + result)
  }
}
