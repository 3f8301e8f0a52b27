import ApusCore

/// What the beginning of a picture file says of it; its pixels are not looked at.
public struct PictureHeader: Sendable, Hashable {
  public let format: PictureFormat
  /// As stored: a camera that was held upright exchanges them.
  public private(set) var width = 0
  public private(set) var height = 0
  /// Whether it has one channel of colour.
  public private(set) var isGrey = false

  /// Cameras put previews of this size before a picture's own header.
  private static let enough = 1 << 19
  /// TIFF and HEIF say at their beginning where the header is, anywhere up to here.
  private static let most = 1 << 29

  /// - Throws: `DataError` for a file that is no picture or ends before its size, `FileError`.
  public init(contentsOf path: String) throws {
    let file = try File(reading: path)
    func read(_ most: Int) throws -> ArraySlice<UInt8> {
      let byteCount = min(try file.byteCount, most)
      try HostMemory.require(byteCount, for: "the header of \(path)")
      var bytes = [UInt8](repeating: 0, count: byteCount)
      let count = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
      return bytes.prefix(count)
    }
    let beginning = try read(Self.enough)
    do {
      try self.init(beginning, name: path)
    } catch {
      guard let format = PictureFormat(header: beginning), [.tiff, .heic, .avif].contains(format),
        beginning.count == Self.enough
      else { throw error }
      try self.init(try read(Self.most), name: path)
    }
  }

  init(_ bytes: ArraySlice<UInt8>, name: String) throws {
    if bytes.isEmpty { throw DataError(.malformed, at: name, "the file is empty") }
    guard let format = PictureFormat(header: bytes) else {
      throw DataError(.malformed, at: name, "it is no picture of a format that is known")
    }
    self.format = format
    let bytes = Array(bytes)
    let isComplete =
      switch format {
      case .png: readPNG(bytes)
      case .jpeg: readJPEG(bytes)
      case .webP: readWebP(bytes)
      case .gif: readGIF(bytes)
      case .bmp: readBMP(bytes)
      case .tiff: readTIFF(bytes)
      case .heic, .avif: readHEIF(bytes)
      }
    if !isComplete { throw DataError(.malformed, at: name, "the file is damaged or cut short") }
  }

  /// Sets them, unless one of them is not known or no size: no format has sides of 2^31 pixels.
  mutating func set(width: Int?, height: Int?, isGrey: Bool = false) -> Bool {
    guard let width, let height, (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height) else {
      return false
    }
    (self.width, self.height, self.isGrey) = (width, height, isGrey)
    return true
  }

  /// The first chunk is IHDR: width, height, depth, colour (PNG, 11.2.2).
  private mutating func readPNG(_ bytes: [UInt8]) -> Bool {
    guard let color = bytes.number(at: 25, bytes: 1, .bigEndian) else { return false }
    return set(
      width: bytes.number(at: 16, bytes: 4, .bigEndian), height: bytes.number(at: 20, bytes: 4, .bigEndian),
      isGrey: color == 0 || color == 4)
  }

  /// Segments up to the frame's: a mark, their length, and in a frame depth, height, width, components (T.81, B.2.2).
  private mutating func readJPEG(_ bytes: [UInt8]) -> Bool {
    var position = 2
    while let mark = bytes.number(at: position, bytes: 2, .bigEndian) {
      // Bytes between segments, and fill bytes, are passed over.
      guard mark >= 0xFF01, mark != 0xFFFF else {
        position += 1
        continue
      }
      // Marks without a length.
      if (0xFFD0...0xFFD8).contains(mark) || mark == 0xFF01 {
        position += 2
        continue
      }
      if (0xFFC0...0xFFCF).contains(mark) && ![0xFFC4, 0xFFC8, 0xFFCC].contains(mark) {
        guard let components = bytes.number(at: position + 9, bytes: 1, .bigEndian) else { return false }
        return set(
          width: bytes.number(at: position + 7, bytes: 2, .bigEndian),
          height: bytes.number(at: position + 5, bytes: 2, .bigEndian),
          isGrey: components == 1)
      }
      guard mark != 0xFFDA, mark != 0xFFD9, let length = bytes.number(at: position + 2, bytes: 2, .bigEndian) else {
        return false
      }
      position += 2 + length
    }
    return false
  }
}
