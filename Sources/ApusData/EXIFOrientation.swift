import ApusCore

/// How a camera was held: EXIF tag 0x0112, 1 to 8.
///
/// The stored picture is turned upright by an optional exchange of the axes, then mirroring (CIPA DC-008, 4.6.4).
struct EXIFOrientation {
  let value: Int

  /// The orientation in a JPEG file; 1 (upright) when there is none or its EXIF block is damaged.
  init(jpeg bytes: [UInt8]) { value = Self.find(in: bytes) ?? 1 }

  private static func find(in bytes: [UInt8]) -> Int? {
    var position = 2
    // Segments: 0xFF, a marker, a 16-bit length that counts itself. The picture data begins at marker 0xDA.
    while position + 4 <= bytes.count, bytes[position] == 0xFF, bytes[position + 1] != 0xDA {
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      guard length >= 2, position + 2 + length <= bytes.count else { return nil }
      let content = (position + 4)..<(position + 2 + length)
      if bytes[position + 1] == 0xE1, bytes[content].starts(with: Array("Exif\0\0".utf8)) {
        return findInTIFF(bytes[content].dropFirst(6))
      }
      position = content.upperBound
    }
    return nil
  }

  /// Looks through the first directory of a TIFF block: a byte order, 42, the directory's offset; 12 bytes for a tag.
  private static func findInTIFF(_ block: ArraySlice<UInt8>) -> Int? {
    let bytes = Array(block)
    let isLittleEndian = bytes.starts(with: [0x49, 0x49])
    func number(at offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset + count <= bytes.count else { return nil }
      let digits = bytes[offset..<(offset + count)]
      return isLittleEndian ? digits.reversed().reduce(0) { $0 << 8 | Int($1) } : digits.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, bytes: 2) else { return nil }
      if tag == 0x0112 { return number(at: start + 8, bytes: 2).flatMap { (1...8).contains($0) ? $0 : nil } }
    }
    return nil
  }

  /// `[H, W, C]` pixels as they should be seen.
  func upright(_ pixels: NDArray) -> NDArray {
    if value == 1 { return pixels }
    let swapsAxes = value >= 5
    let mirrorsX = [2, 3, 6, 7].contains(value)
    let mirrorsY = [3, 4, 7, 8].contains(value)
    let (height, width, channels) = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
    let (newHeight, newWidth) = swapsAxes ? (width, height) : (height, width)
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count)
    pixels.withElements(as: UInt8.self) { source in
      for y in 0..<newHeight {
        for x in 0..<newWidth {
          let u = mirrorsX ? newWidth - 1 - x : x
          let v = mirrorsY ? newHeight - 1 - y : y
          let (row, column) = swapsAxes ? (u, v) : (v, u)
          let start = (row * width + column) * channels
          result.append(contentsOf: source[start..<(start + channels)])
        }
      }
    }
    return NDArray(result, shape: [newHeight, newWidth, channels])
  }
}
