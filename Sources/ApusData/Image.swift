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

  /// A picture may have this many pixels unless the caller says otherwise.
  public static let defaultMaximumPixelCount = 1 << 26
  private static let maximumFileByteCount = 1 << 29

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

  /// Decodes a PNG or JPEG file. See `init(encoded:name:maximumPixelCount:)`.
  ///
  /// - Throws: `DataError`, or `FileError` when the file cannot be read.
  public init(contentsOf path: String, maximumPixelCount: Int = Self.defaultMaximumPixelCount) throws {
    guard let bytes = try File.contents(of: path, maximumByteCount: Self.maximumFileByteCount) else {
      throw DataError(
        .malformed, at: path, "it has more than \(Self.maximumFileByteCount >> 20) MiB", advice: "use a smaller picture"
      )
    }
    try self.init(encoded: bytes, name: path, maximumPixelCount: maximumPixelCount)
  }

  /// Decodes the bytes of a PNG or JPEG file.
  ///
  /// - PNG: every kind; palettes become RGB, 16-bit samples are rounded to 8, transparent pixels are laid on white,
  ///   gamma and colour profiles are not applied.
  /// - JPEG: grey and YCbCr or RGB, baseline and progressive; the EXIF orientation is applied.
  ///
  /// - Parameters:
  ///   - name: What messages call the picture.
  ///   - maximumPixelCount: Larger pictures are refused before memory is taken for them.
  /// - Throws: `DataError` for anything else: other formats, damaged or cut files, CMYK, too many pixels.
  public init(
    encoded bytes: [UInt8], name: String, maximumPixelCount: Int = Self.defaultMaximumPixelCount
  ) throws {
    func failure(_ reason: String, _ advice: String? = nil) -> DataError {
      DataError(.malformed, at: name, reason, advice: advice)
    }
    if bytes.isEmpty { throw failure("the file is empty") }
    let isPNG = bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    let isJPEG = bytes.starts(with: [0xFF, 0xD8, 0xFF])
    guard isPNG || isJPEG else { throw failure("it is neither PNG nor JPEG", "convert it to PNG") }

    var decoded = apus_image()
    let limit = UInt64(max(0, maximumPixelCount))
    let status = bytes.withUnsafeBufferPointer {
      isPNG
        ? apus_png_decode($0.baseAddress, $0.count, limit, &decoded)
        : apus_jpeg_decode($0.baseAddress, $0.count, limit, &decoded)
    }
    defer { apus_image_free(&decoded) }
    let message = withUnsafeBytes(of: &decoded.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let (width, height, channels) = (Int(decoded.width), Int(decoded.height), Int(decoded.channels))
    switch status {
    case APUS_IMAGE_OK: break
    case APUS_IMAGE_UNSUPPORTED: throw failure("\(message) are not supported", "convert it to RGB")
    case APUS_IMAGE_TOO_LARGE:
      throw failure("\(width)x\(height) pixels, the limit is \(maximumPixelCount)", "use a smaller picture")
    case APUS_IMAGE_NO_MEMORY: throw failure("no memory to decode \(width)x\(height) pixels")
    default: throw failure("it cannot be decoded: \(message)", "the file is damaged or cut short")
    }

    let raw = UnsafeBufferPointer(start: decoded.pixels, count: width * height * channels)
    let hasAlpha = channels == 2 || channels == 4
    let opaque = hasAlpha ? Self.laidOnWhite(raw, channels: channels) : Array(raw)
    let pixels = NDArray(opaque, shape: [height, width, hasAlpha ? channels - 1 : channels])
    self.pixels = isJPEG ? EXIFOrientation(jpeg: bytes).upright(pixels) : pixels
  }

  /// `alpha * colour + (1 - alpha) * white`, rounded.
  private static func laidOnWhite(_ pixels: UnsafeBufferPointer<UInt8>, channels: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count / channels * (channels - 1))
    for start in stride(from: 0, to: pixels.count, by: channels) {
      let alpha = Int(pixels[start + channels - 1])
      for channel in start..<(start + channels - 1) {
        result.append(UInt8((Int(pixels[channel]) * alpha + 255 * (255 - alpha) + 127) / 255))
      }
    }
    return result
  }

  /// The bytes of a PNG file, grey or RGB.
  public func pngData() throws -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    var count = 0
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
