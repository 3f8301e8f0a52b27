/// Names of files are bytes; nothing makes them UTF-8. In a string, a byte that is not part of UTF-8 text stands as one
/// scalar of Unicode's private plane, so that every name has one string and is opened under the same bytes.
extension FilePath {
  /// Bytes 0x80 to 0xFF are the scalars 0x10FE80 to 0x10FEFF.
  private static let base: UInt32 = 0x10FE00

  private static func isByte(_ scalar: Unicode.Scalar) -> Bool { (base + 0x80...base + 0xFF).contains(scalar.value) }

  /// A name as the system gave it.
  package static func string(system bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    func append(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { text.append(Unicode.Scalar(base + UInt32(byte))!) }
    }
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      // One scalar's bytes: as many as the first says.
      let count = rest.first! < 0x80 ? 1 : rest.first! < 0xE0 ? 2 : rest.first! < 0xF0 ? 3 : 4
      let piece = rest.prefix(count)
      if let scalar = String(validating: piece, as: UTF8.self)?.unicodeScalars.first {
        // A name that holds such a scalar itself is kept apart byte by byte.
        if isByte(scalar) { append(piece) } else { text.append(scalar) }
        rest = rest.dropFirst(count)
      } else {
        append(rest.prefix(1))
        rest = rest.dropFirst()
      }
    }
    return String(text)
  }

  /// The name as the system takes it, with a zero at its end.
  package static func system(_ path: String) -> [CChar] {
    var bytes: [CChar] = []
    bytes.reserveCapacity(path.utf8.count + 1)
    for scalar in path.unicodeScalars {
      if isByte(scalar) {
        bytes.append(CChar(truncatingIfNeeded: scalar.value - base))
      } else {
        for byte in UTF8.encode(scalar)! { bytes.append(CChar(bitPattern: byte)) }
      }
    }
    return bytes + [0]
  }

  /// Text for people: bytes that are no text, and controls, which could move a terminal's cursor, as `\\xFF`.
  package static func printable(_ text: String, keepsLines: Bool = false) -> String {
    func isPlain(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.generalCategory != .control && !isByte(scalar)
        || keepsLines && (scalar == "\n" || scalar == "\t")
    }
    if text.unicodeScalars.allSatisfy(isPlain) { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if isPlain(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        let digits = String(isByte(scalar) ? scalar.value - base : scalar.value, radix: 16, uppercase: true)
        result += "\\x" + (digits.count == 1 ? "0" : "") + digits
      }
    }
  }
}
