import ApusCore
import CImage

extension Image {
  /// A picture has at most this many pixels unless the caller says otherwise; larger files are decoded smaller.
  public static let defaultMaximumPixelCount = 1 << 26
  private static let maximumFileByteCount = 1 << 29

  /// Decodes a picture file. See `init(encoded:name:maximumPixelCount:background:)`.
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

  /// Decodes the bytes of a picture file, upright as its EXIF orientation, or that of its XMP packet, says.
  ///
  /// - PNG: every kind; palettes become RGB, 16-bit samples are rounded to 8, gamma and colour profiles are not applied.
  /// - JPEG: grey, YCbCr, RGB, CMYK and YCCK (both inverted, as all writers store them), baseline and progressive.
  /// - WebP, HEIC, AVIF, GIF: RGB; of an animation, the first frame. 10 and 12 bits are rounded to 8.
  /// - TIFF: grey, RGB, palette, CMYK, YCbCr, CIE L*a*b* of 1 to 16 bits, in strips or tiles; the first page.
  /// - BMP: palettes, 16, 24 and 32 bits, bit fields, runs.
  ///
  /// Transparent pixels are laid on `background`. A decoder's warnings are not errors; missing pixels are.
  ///
  /// - Parameters:
  ///   - name: What messages call the picture.
  ///   - maximumPixelCount: Pictures with more pixels come out smaller, with at most so many: a JPEG at a half, a quarter
  ///     or an eighth of its sides, others as means of boxes. With more than eight times as many they are refused
  ///     before memory is taken for them.
  ///   - enoughSide: Pixels of the shorter side that are enough: a JPEG may come out at a half, a quarter or an eighth of
  ///     its sides, which takes much less time; `nil` for the full size.
  ///   - background: The ground under transparent pixels.
  /// - Throws: `DataError` for anything else: other formats, damaged or cut files, too many pixels; and where the
  ///   library that reads the format is not installed. `HostMemoryError` when there is no memory for the pixels.
  public init(
    encoded bytes: [UInt8], name: String, maximumPixelCount: Int = Self.defaultMaximumPixelCount,
    enoughSide: Int? = nil, background: Background = .contrasting
  ) throws {
    func failure(_ reason: String, _ advice: String? = nil) -> DataError {
      DataError(.malformed, at: name, reason, advice: advice)
    }
    if bytes.isEmpty { throw failure("the file is empty") }
    guard let format = PictureFormat(header: bytes) else {
      let names = PictureFormat.allCases.map(\.rawValue)
      throw failure(
        "it is no picture of a format that is read: \(names.dropLast().joined(separator: ", ")) or \(names.last!)",
        "convert it to PNG")
    }

    try format.library?.require(for: name, format: format)
    var decoded = apus_image()
    // Some formats are decoded as a whole before they are made smaller.
    let limits = apus_image_limits(
      max_pixels: UInt64(max(0, maximumPixelCount)), max_bytes: UInt64(HostMemory.total / 2),
      enough_side: UInt32(clamping: enoughSide ?? 0))
    let status = bytes.withUnsafeBufferPointer { format.decode($0, limits, into: &decoded) }
    defer { apus_image_free(&decoded) }
    let message = withUnsafeBytes(of: &decoded.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let (width, height, channels) = (Int(decoded.width), Int(decoded.height), Int(decoded.channels))
    switch status {
    case APUS_IMAGE_OK: break
    case APUS_IMAGE_UNSUPPORTED:
      throw failure(
        "it is \(format.rawValue) of a kind that is not read: \(message)", "save it anew as a plain PNG")
    case APUS_IMAGE_NO_CODEC:
      throw DataError(
        .missingLibrary, at: name, "it is \(format.rawValue), and libheif has nothing to decode it with: \(message)",
        advice: "install that (Debian, Ubuntu: libheif-plugin-\(format == .avif ? "dav1d" : "libde265"))")
    case APUS_IMAGE_TOO_LARGE:
      let (most, overflow) = maximumPixelCount.multipliedReportingOverflow(by: Int(APUS_IMAGE_REDUCTION))
      throw failure("\(width)x\(height) pixels, the limit is \(overflow ? Int.max : most)", "use a smaller picture")
    case APUS_IMAGE_NO_MEMORY:
      // At its full size, with alpha: the size that was reached may be the reduced one.
      let whole = try? PictureHeader(bytes[...], name: name)
      let pixelCount = max(width * height, whole.map { $0.width * $0.height } ?? 0)
      let (byteCount, overflow) = pixelCount.multipliedReportingOverflow(by: 4)
      throw HostMemoryError(byteCount: overflow ? .max : byteCount, purpose: "the pixels of \(name)")
    default: throw failure("it cannot be decoded: \(message)", "the file is damaged or cut short")
    }

    let raw = UnsafeBufferPointer(start: decoded.pixels, count: width * height * channels)
    // Once without alpha, and once more upright.
    try HostMemory.require(2 * raw.count, for: "the pixels of \(name)")
    let hasAlpha = channels == 2 || channels == 4
    let opaque = hasAlpha ? background.under(raw, channels: channels) : Array(raw)
    let pixels = NDArray(bytes: opaque, shape: [height, width, hasAlpha ? channels - 1 : channels], dtype: .uint8)!
    self.init(unchecked: try EXIFOrientation(of: decoded, name: name).upright(pixels))
  }
}

extension PictureFormat {
  fileprivate func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ limits: apus_image_limits, into image: inout apus_image
  ) -> apus_image_status {
    let decode =
      switch self {
      case .png: apus_png_decode
      case .jpeg: apus_jpeg_decode
      case .webP: apus_webp_decode
      case .heic, .avif: apus_heif_decode
      case .tiff: apus_tiff_decode
      case .gif: apus_gif_decode
      case .bmp: apus_bmp_decode
      }
    return decode(bytes.baseAddress, bytes.count, limits, &image)
  }
}

extension EXIFOrientation {
  /// What a file says, in the first of these places that has it: the format's own, EXIF, text that holds EXIF, XMP.
  fileprivate init(of image: apus_image, name: String) throws {
    func bytes(_ block: apus_block) -> [UInt8] { Array(UnsafeBufferPointer(start: block.bytes, count: block.size)) }
    func text(_ block: apus_block) throws -> PNGText? {
      block.size == 0 ? nil : try PNGText(chunk: bytes(block), name: name)
    }
    if image.orientation != 0 {
      self.init(value: Int(image.orientation))
    } else {
      let exif = image.exif.size > 0 ? bytes(image.exif) : try text(image.exif_text)?.profile ?? []
      self.init(exif: exif, xmp: try text(image.xmp_text)?.bytes ?? bytes(image.xmp))
    }
  }
}
