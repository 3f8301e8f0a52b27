import CImage

/// The text of a PNG's `tEXt`, `zTXt` or `iTXt` chunk (PNG, 11.3.3), as far as it can be had.
struct PNGText {
  /// Decompressed, at most this many bytes: a small chunk can hold a memory full of them.
  static let maximumByteCount = 1 << 20

  let bytes: [UInt8]

  /// - Parameter chunk: Its name and its content.
  /// - Throws: `DataError` where the text is compressed and zlib is not installed.
  init(chunk: [UInt8], name: String) throws {
    let type = Array(chunk.prefix(4))
    /// What stands behind the next zero.
    func behindZero(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
      rest.firstIndex(of: 0).map { rest[($0 + 1)...] } ?? []
    }
    var rest = behindZero(chunk.dropFirst(4))
    var isCompressed = type == Array("zTXt".utf8)
    if isCompressed {
      rest = rest.dropFirst()
    } else if type == Array("iTXt".utf8) {
      // Flag and method of compression; language and translated keyword, each with a zero.
      isCompressed = rest.first == 1
      rest = behindZero(behindZero(rest.dropFirst(2)))
    }
    bytes = isCompressed ? try Self.decompressed(Array(rest), name: name) : Array(rest.prefix(Self.maximumByteCount))
  }

  /// What comes out before the end, the limit or the first damage.
  private static func decompressed(_ input: [UInt8], name: String) throws -> [UInt8] {
    try SystemLibrary.zlib.require(for: name)
    guard let decoder = apus_inflate_create(APUS_DEFLATE_FRAMED) else { return [] }
    defer { apus_inflate_destroy(decoder) }
    return [UInt8](unsafeUninitializedCapacity: maximumByteCount) { buffer, count in
      var position = 0
      while count < buffer.count {
        var (consumed, produced) = (0, 0)
        let status = input.withUnsafeBufferPointer {
          apus_inflate_step(
            decoder, $0.baseAddress.map { $0 + position }, $0.count - position, &consumed, buffer.baseAddress! + count,
            buffer.count - count, &produced)
        }
        position += consumed
        count += produced
        if status != APUS_INFLATE_MORE || consumed + produced == 0 { break }
      }
    }
  }

  /// The bytes of a `Raw profile type exif`, as ImageMagick and exiftool write it: an empty line, `exif`, the number of
  /// bytes, and lines of hexadecimal digits.
  var profile: [UInt8] {
    var lines = bytes[...]
    for _ in 0..<3 { lines = lines.firstIndex(of: UInt8(ascii: "\n")).map { lines[($0 + 1)...] } ?? [] }
    var result: [UInt8] = []
    var high: UInt8?
    for byte in lines {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) else {
        if [0x20, 0x0A, 0x0D, 0x09].contains(byte) { continue }
        break
      }
      if let first = high {
        result.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return result
  }
}
