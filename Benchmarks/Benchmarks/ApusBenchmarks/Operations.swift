import Apus
import Operations

extension Operation {
  /// One case for each class of shapes that a CNN meets.
  static let all: [Operation] =
    // The gradient by a network's pictures is never computed.
    convolution(batch: 64, size: 28, channels: 1, filters: 32, window: 3, passes: [.forward, .filterGradient])
    + convolution(
      batch: 8, size: 224, channels: 3, filters: 64, window: 7, stride: 2, passes: [.forward, .filterGradient])
    + convolution(batch: 8, size: 56, channels: 64, filters: 64, window: 3)
    + convolution(batch: 8, size: 14, channels: 256, filters: 256, window: 3)
    + convolution(batch: 8, size: 7, channels: 512, filters: 512, window: 3)
    + convolution(batch: 8, size: 28, channels: 256, filters: 128, window: 1)
    + convolution(batch: 8, size: 56, channels: 128, filters: 128, window: 3, groups: 128)
    + product("dense", 64, 1600, 128)
    + product("product", 1024, 1024, 1024, passes: [.forward])
}
