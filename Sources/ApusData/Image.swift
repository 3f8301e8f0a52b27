public import ApusCore
import CImage

/// A picture: uint8 pixels `[height, width, channels]`, grey (1 channel) or RGB (3).
///
/// ```swift
/// let picture = try Image(contentsOf: "seven.png").resized(toWidth: 28, height: 28, channels: 1)
/// print(picture.pixels.shape)   // [28, 28, 1]
/// ```
public struct Image: Hashable, Sendable {
  /// Rows from the top, channels interleaved.
  public let pixels: NDArray

  public var height: Int { pixels.shape[0] }
  public var width: Int { pixels.shape[1] }
  public var channels: Int { pixels.shape[2] }

  /// Wraps uint8 pixels of shape `[height, width, 1 or 3]`.
  ///
  /// - Throws: `DataError` for another type or shape.
  public init(pixels: NDArray) throws {
    guard pixels.dtype == .uint8, pixels.shape.count == 3, [1, 3].contains(pixels.shape[2]), pixels.count > 0 else {
      throw DataError(
        .invalidArgument, at: "Image", "\(pixels.dtype) \(pixels.shape.shapeDescription) is not a picture",
        advice: "give uint8 of shape [height, width, 1 or 3]")
    }
    self.pixels = pixels
  }

  /// Wraps pixels that are known to be a picture.
  init(unchecked pixels: NDArray) { self.pixels = pixels }

  /// The bytes of a PNG file, grey or RGB.
  public func pngData() throws -> [UInt8] {
    try SystemLibrary.png.require(for: "a PNG file")
    var encoded: UnsafeMutablePointer<UInt8>?
    var count = 0
    try HostMemory.require(2 * pixels.byteCount, for: "a PNG file of \(width)x\(height) pixels")
    let status = pixels.withElements(as: UInt8.self) {
      apus_png_encode($0.baseAddress, UInt32(width), UInt32(height), UInt32(channels), &encoded, &count)
    }
    defer { apus_bytes_free(encoded) }
    guard status == APUS_IMAGE_OK else {
      throw DataError(.invalidArgument, at: "Image", "\(width)x\(height) pixels cannot be encoded as PNG")
    }
    return Array(UnsafeBufferPointer(start: encoded, count: count))
  }

  /// Writes a PNG file; it appears under its name only when it is complete.
  public func writePNG(to path: String) throws {
    try AtomicFile.write(try pngData(), to: path)
  }
}
