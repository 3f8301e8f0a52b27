import ApusCore
import CImage

extension Image {
  /// A picture has at most this many pixels unless the caller says otherwise; larger files are decoded smaller.
  public static let defaultMaximumPixelCount = 1 << 26
  private static let maximumFileByteCount = 1 << 29

  /// Decodes a PNG or JPEG file. See `init(encoded:name:maximumPixelCount:background:)`.
  ///
  /// - Throws: `DataError`, `HostMemoryError`, or `FileError` when the file cannot be read.
  public init(
    contentsOf path: String, maximumPixelCount: Int = Self.defaultMaximumPixelCount, enoughSide: Int? = nil,
    background: Background = .contrasting
  ) throws {
    guard let bytes = try File.contents(of: path, maximumByteCount: Self.maximumFileByteCount) else {
      throw DataError(
        .malformed, at: path, "it has more than \(Self.maximumFileByteCount >> 20) MiB", advice: "use a smaller picture"
      )
    }
    try self.init(
      encoded: bytes, name: path, maximumPixelCount: maximumPixelCount, enoughSide: enoughSide, background: background)
  }

  /// Decodes the bytes of a PNG or JPEG file, upright as its EXIF orientation says.
  ///
  /// - PNG: every kind; palettes become RGB, 16-bit samples are rounded to 8, transparent pixels are laid on
  ///   `background`, gamma and colour profiles are not applied.
  /// - JPEG: grey, YCbCr or RGB, and CMYK as Adobe stores it (inverted), baseline and progressive.
  ///
  /// A decoder's warnings are not errors; missing pixels are.
  ///
  /// - Parameters:
  ///   - name: What messages call the picture.
  ///   - maximumPixelCount: Pictures with more pixels come out smaller, with at most so many: a PNG as means of boxes,
  ///     a JPEG at a half, a quarter or an eighth of its sides. With more than eight times as many they are refused
  ///     before memory is taken for them.
  ///   - enoughSide: Pixels of the shorter side that are enough: a JPEG may come out at a half, a quarter or an eighth of
  ///     its sides, which takes much less time; `nil` for the full size.
  ///   - background: The ground under transparent pixels.
  /// - Throws: `DataError` for anything else: other formats, damaged or cut files, too many pixels; and where libpng or
  ///   libjpeg is not installed. `HostMemoryError` when there is no memory for the pixels.
  public init(
    encoded bytes: [UInt8], name: String, maximumPixelCount: Int = Self.defaultMaximumPixelCount,
    enoughSide: Int? = nil, background: Background = .contrasting
  ) throws {
    func failure(_ reason: String, _ advice: String? = nil) -> DataError {
      DataError(.malformed, at: name, reason, advice: advice)
    }
    if bytes.isEmpty { throw failure("the file is empty") }
    let format = PictureFormat(header: bytes)
    let isPNG = format == .png
    guard isPNG || format == .jpeg else {
      let other = format.map { ", but \($0.rawValue)" } ?? ""
      throw failure("it is neither PNG nor JPEG\(other)", "convert it to PNG")
    }

    try (isPNG ? SystemLibrary.png : .jpeg).require(for: name)
    var decoded = apus_image()
    let limit = UInt64(max(0, maximumPixelCount))
    let limits = apus_image_limits(max_pixels: limit, enough_side: UInt32(clamping: enoughSide ?? 0))
    let status = bytes.withUnsafeBufferPointer {
      isPNG
        ? apus_png_decode($0.baseAddress, $0.count, limit, &decoded)
        : apus_jpeg_decode($0.baseAddress, $0.count, limits, &decoded)
    }
    defer { apus_image_free(&decoded) }
    let message = withUnsafeBytes(of: &decoded.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let (width, height, channels) = (Int(decoded.width), Int(decoded.height), Int(decoded.channels))
    switch status {
    case APUS_IMAGE_OK: break
    case APUS_IMAGE_UNSUPPORTED:
      throw failure("it is of a kind that is not read: \(message)", "save it anew as a plain PNG")
    case APUS_IMAGE_TOO_LARGE:
      let (most, overflow) = maximumPixelCount.multipliedReportingOverflow(by: Int(APUS_IMAGE_REDUCTION))
      throw failure("\(width)x\(height) pixels, the limit is \(overflow ? Int.max : most)", "use a smaller picture")
    case APUS_IMAGE_NO_MEMORY:
      throw HostMemoryError(byteCount: width * height * max(channels, 1), purpose: "the pixels of \(name)")
    default: throw failure("it cannot be decoded: \(message)", "the file is damaged or cut short")
    }

    let raw = UnsafeBufferPointer(start: decoded.pixels, count: width * height * channels)
    // Once without alpha, and once more upright.
    try HostMemory.require(2 * raw.count, for: "the pixels of \(name)")
    let hasAlpha = channels == 2 || channels == 4
    let opaque = hasAlpha ? background.under(raw, channels: channels) : Array(raw)
    let pixels = NDArray(bytes: opaque, shape: [height, width, hasAlpha ? channels - 1 : channels], dtype: .uint8)!
    let exif = Array(UnsafeBufferPointer(start: decoded.exif, count: decoded.exif_size))
    self.init(unchecked: EXIFOrientation(exif: exif).upright(pixels))
  }
}
