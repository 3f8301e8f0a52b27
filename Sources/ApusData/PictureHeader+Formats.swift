extension PictureHeader {
  /// The logical screen, or more where the first image reaches over it (GIF89a, 18 and 20).
  mutating func readGIF(_ bytes: [UInt8]) -> Bool {
    func number(_ offset: Int) -> Int? { bytes.number(at: offset, bytes: 2, .littleEndian) }
    guard let width = number(6), let height = number(8), bytes.count > 13 else { return false }
    // Behind the screen and its colours: extensions, whose blocks begin with their length and end with an empty one.
    var position = 13 + (bytes[10] & 0x80 == 0 ? 0 : 6 << Int(bytes[10] & 7))
    while position + 1 < bytes.count, bytes[position] == 0x21 {
      position += 2
      while position < bytes.count, bytes[position] != 0 { position += 1 + Int(bytes[position]) }
      position += 1
    }
    guard position < bytes.count, bytes[position] == 0x2C, let left = number(position + 1),
      let top = number(position + 3), let imageWidth = number(position + 5), let imageHeight = number(position + 7)
    else { return set(width: width, height: height) }
    return set(width: max(width, left + imageWidth), height: max(height, top + imageHeight))
  }

  /// Width and height in the header of a bitmap, of 2 bytes each in the oldest; the rows of negative ones go down.
  mutating func readBMP(_ bytes: [UInt8]) -> Bool {
    guard let headerLength = bytes.number(at: 14, bytes: 4, .littleEndian) else { return false }
    if headerLength == 12 {
      return set(
        width: bytes.number(at: 18, bytes: 2, .littleEndian), height: bytes.number(at: 20, bytes: 2, .littleEndian))
    }
    func signed(_ offset: Int) -> Int? {
      bytes.number(at: offset, bytes: 4, .littleEndian).map { Int(Int32(truncatingIfNeeded: $0)) }
    }
    return set(width: signed(18), height: signed(22).map(abs))
  }

  /// The canvas of an extended file, or the header of its only bitstream (WebP container; RFC 6386, 9.1).
  mutating func readWebP(_ bytes: [UInt8]) -> Bool {
    func has(_ text: String) -> Bool { bytes.dropFirst(12).starts(with: text.utf8) }
    if has("VP8X") {
      return set(
        width: bytes.number(at: 24, bytes: 3, .littleEndian).map { $0 + 1 },
        height: bytes.number(at: 27, bytes: 3, .littleEndian).map { $0 + 1 })
    }
    if has("VP8L") {
      // 14 bits each, less one.
      let sizes = bytes.number(at: 21, bytes: 4, .littleEndian)
      return set(width: sizes.map { $0 & 0x3FFF + 1 }, height: sizes.map { $0 >> 14 & 0x3FFF + 1 })
    }
    return set(
      width: bytes.number(at: 26, bytes: 2, .littleEndian).map { $0 & 0x3FFF },
      height: bytes.number(at: 28, bytes: 2, .littleEndian).map { $0 & 0x3FFF })
  }

  mutating func readTIFF(_ bytes: [UInt8]) -> Bool {
    let directory = TIFFDirectory(bytes)
    let photometric = directory.value(of: 262)
    return set(
      width: directory.value(of: 256), height: directory.value(of: 257), isGrey: photometric == 0 || photometric == 1)
  }

  /// The largest of the sizes among the properties of a file's items, beside which there are those of its tiles and of
  /// its preview; of what is cut out (`clap`), where the decoder's blocks are larger than the picture, else of what is
  /// decoded (`ispe`) (ISO/IEC 23008-12, 6.5).
  mutating func readHEIF(_ bytes: [UInt8]) -> Bool {
    /// The contents of the boxes of a type among those in a range.
    func boxes(_ type: String, in range: Range<Int>) -> [Range<Int>] {
      var found: [Range<Int>] = []
      var position = range.lowerBound
      while let length = bytes.number(at: position, bytes: 4, .bigEndian), position + 8 <= range.upperBound {
        // 1: a longer number behind the type, 0: up to the end.
        let isLong = length == 1
        let start = position + (isLong ? 16 : 8)
        // Above 2^31 it reaches over the end.
        let size = isLong ? bytes.number(at: position + 12, bytes: 4, .bigEndian) : length
        guard let size, !isLong || bytes.number(at: position + 8, bytes: 4, .bigEndian) == 0 else { return found }
        let end = size == 0 ? range.upperBound : position + size
        guard start <= end, end <= range.upperBound else { return found }
        if bytes[(position + 4)..<(position + 8)].elementsEqual(type.utf8) { found.append(start..<end) }
        position = end
      }
      return found
    }
    // `meta` and `ispe` begin with a version and flags, 4 bytes.
    guard let meta = boxes("meta", in: 0..<bytes.count).first, meta.count >= 4,
      let properties = boxes("iprp", in: (meta.lowerBound + 4)..<meta.upperBound).first,
      let container = boxes("ipco", in: properties).first
    else { return false }
    func number(_ box: Range<Int>, _ index: Int) -> Int? {
      let offset = box.lowerBound + 4 * index
      guard offset + 4 <= box.upperBound, let value = bytes.number(at: offset, bytes: 4, .bigEndian) else { return nil }
      return value <= Int32.max ? value : nil
    }
    let decoded = boxes("ispe", in: container).compactMap { box -> (width: Int, height: Int)? in
      guard let width = number(box, 1), let height = number(box, 2) else { return nil }
      return (width, height)
    }
    // Fractions: a numerator and a denominator of the width, and of the height.
    let cut = boxes("clap", in: container).compactMap { box -> (width: Int, height: Int)? in
      guard let width = number(box, 0), let part = number(box, 1), let height = number(box, 2),
        let otherPart = number(box, 3), part > 0, otherPart > 0
      else { return nil }
      return (width / part, height / otherPart)
    }
    let largest = (cut.isEmpty ? decoded : cut).max { $0.width * $0.height < $1.width * $1.height }
    return set(width: largest?.width, height: largest?.height)
  }
}
