import ApusCore

/// How a camera was held: EXIF tag 0x0112, 1 to 8.
///
/// The stored picture is turned upright by an optional exchange of the axes, then mirroring (CIPA DC-008, 4.6.4).
struct EXIFOrientation {
  let value: Int

  /// The orientation in an EXIF block as JPEG and PNG files hold it; 1 (upright) when there is none or it is damaged.
  init(exif block: [UInt8]) { value = Self.find(in: block) ?? 1 }

  /// Looks through the first directory of a TIFF block: a byte order, 42, the directory's offset; 12 bytes for a tag.
  private static func find(in block: [UInt8]) -> Int? {
    // In a JPEG file the block is introduced by its name.
    let bytes = block.starts(with: Array("Exif\0".utf8)) ? Array(block.dropFirst(6)) : block
    let isLittleEndian = bytes.starts(with: [0x49, 0x49])
    func number(at offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset + count <= bytes.count else { return nil }
      let digits = bytes[offset..<(offset + count)]
      return isLittleEndian ? digits.reversed().reduce(0) { $0 << 8 | Int($1) } : digits.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, bytes: 2), let type = number(at: start + 2, bytes: 2) else { return nil }
      if tag != 0x0112 { continue }
      // A short is asked for; bytes and longs are written, too. Small values stand at the field's beginning.
      let sizes = [1: 1, 3: 2, 4: 4]
      return sizes[type].flatMap { number(at: start + 8, bytes: $0) }.flatMap { (1...8).contains($0) ? $0 : nil }
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
    return NDArray(shape: [newHeight, newWidth, channels]) { (result: UnsafeMutableBufferPointer<UInt8>) in
      pixels.withElements(as: UInt8.self) { source in
        var position = 0
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let u = mirrorsX ? newWidth - 1 - x : x
            let v = mirrorsY ? newHeight - 1 - y : y
            let (row, column) = swapsAxes ? (u, v) : (v, u)
            let start = (row * width + column) * channels
            for channel in 0..<channels { result[position + channel] = source[start + channel] }
            position += channels
          }
        }
      }
    }
  }
}
