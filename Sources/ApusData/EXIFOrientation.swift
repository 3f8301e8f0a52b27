import ApusCore

/// How a camera was held: EXIF tag 0x0112, 1 to 8.
///
/// The stored picture is turned upright by an optional exchange of the axes, then mirroring (CIPA DC-008, 4.6.4).
struct EXIFOrientation {
  let value: Int

  /// The orientation in an EXIF block as JPEG, PNG and WebP files hold it, else that of an XMP packet; 1 (upright) where
  /// there is none or it is damaged. As Pillow has it, the packet is asked only where the block has no such tag.
  init(exif block: [UInt8], xmp: [UInt8] = []) {
    let stated: Int?
    if let entry = TIFFDirectory(Self.tiff(in: block)).entry(of: 0x0112) {
      stated = entry.value
    } else {
      stated = Self.find(inXMP: xmp)
    }
    self.init(value: stated ?? 1)
  }

  /// Numbers beyond 1 to 8 mean upright.
  init(value: Int) { self.value = (1...8).contains(value) ? value : 1 }

  /// In most files the block is introduced by its name, in some twice.
  private static func tiff(in block: [UInt8]) -> [UInt8] {
    let name = Array("Exif\0\0".utf8)
    var rest = block[...]
    for _ in 0..<2 where rest.starts(with: name) { rest = rest.dropFirst(name.count) }
    return Array(rest)
  }

  /// `tiff:Orientation` as an attribute or an element.
  private static func find(inXMP packet: [UInt8]) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var rest = packet[...]
    while let found = rest.firstRange(of: name) {
      rest = rest[found.upperBound...]
      let opening = Array(rest.prefix(2))
      let isValue = opening == Array("=\"".utf8) || opening == Array("='".utf8)
      let digit = isValue ? rest.dropFirst(2).first : rest.first == UInt8(ascii: ">") ? rest.dropFirst().first : nil
      if let digit, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) { return Int(digit - UInt8(ascii: "0")) }
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
