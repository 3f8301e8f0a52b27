import Foundation
import Testing

@testable import ApusData

/// A folder that is removed when the test ends.
final class TemporaryFolder: Sendable {
  let root: String

  init() {
    root = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path()
    try! FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { root + "/" + name }

  /// Writes a file, and the folders above it.
  func write(_ bytes: [UInt8], to name: String) throws {
    let url = URL(filePath: path(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func read(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path(name)).map { [UInt8]($0) } }
}

/// Big-endian, as IDX wants it.
func bigEndian(_ value: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(value).bigEndian) { [UInt8]($0) } }

/// An IDX file of bytes.
func idx(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(shape.count)] + shape.flatMap(bigEndian) + bytes
}

/// Content in DEFLATE's stored blocks (RFC 1951, 3.2.4).
func deflateStored(_ content: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  var start = 0
  repeat {
    let count = min(65535, content.count - start)
    let isLast = start + count == content.count
    let length = [UInt8(count & 0xFF), UInt8(count >> 8)]
    result += [isLast ? 1 : 0] + length + length.map { ~$0 }
    result += content[start..<(start + count)]
    start += count
  } while start < content.count
  return result
}

/// The checksum of gzip and zip.
func crc32(_ content: [UInt8]) -> UInt32 {
  var crc: UInt32 = ~0
  for byte in content {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}

/// Little-endian, as zip and gzip want it.
func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// Bytes, one after another.
func joined(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }

/// A gzip member that stores its content as it is (RFC 1952).
func gzipStored(_ content: [UInt8]) -> [UInt8] {
  joined(
    [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255], deflateStored(content), littleEndian(Int(crc32(content)), 4),
    littleEndian(content.count, 4))
}

/// A gzip member of `head` and then `zeros` zero bytes, 159 times as small as they are; without its end.
func gzipBomb(_ head: [UInt8], zeros: Int) -> [UInt8] {
  [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + deflateZeros(head, zeros: zeros)
}

/// `head` and then `zeros` zero bytes in one DEFLATE block of fixed codes (RFC 1951, 3.2.6): a zero byte is copied again
/// and again.
func deflateZeros(_ head: [UInt8], zeros: Int) -> [UInt8] {
  var result: [UInt8] = []
  var (bits, bitCount) = (0, 0)
  func put(_ value: Int, _ count: Int) {
    bits |= value << bitCount
    bitCount += count
    while bitCount >= 8 {
      result.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      bitCount -= 8
    }
  }
  // Codes go in from their highest bit, all else from the lowest.
  func putCode(_ code: Int, _ count: Int) { for bit in (0..<count).reversed() { put(code >> bit & 1, 1) } }
  put(0b011, 3)
  for byte in head.map(Int.init) + [0] { byte < 144 ? putCode(0x30 + byte, 8) : putCode(0x190 + byte - 144, 9) }
  for _ in 0..<(zeros / 258) {
    putCode(0b1100_0101, 8)
    putCode(0, 5)
  }
  // The block's end has 7 bits; the last byte is filled up.
  put(0, 14)
  return result
}

/// A tar member: header, content, padding.
func tarMember(_ name: String, _ content: [UInt8], type: Character = "0", size: Int? = nil) -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 512)
  func put(_ text: String, at offset: Int) { for (i, byte) in text.utf8.enumerated() { header[offset + i] = byte } }
  put(name, at: 0)
  put("0000644", at: 100)
  let octal = String(size ?? content.count, radix: 8)
  put(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
  header[156] = type.asciiValue!
  put("        ", at: 148)
  let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
  put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
  let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  return header + content + padding
}

extension Trait where Self == ConditionTrait {
  /// For tests that decode or encode pictures.
  static var withCodecs: Self {
    .enabled("libpng or libjpeg is not on this machine") {
      ([.png, .jpeg] as [SystemLibrary]).allSatisfy { $0.problem == nil }
    }
  }
}
