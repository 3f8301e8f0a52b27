import ApusCore
import CImage

/// The MD5 digest of RFC 1321.
///
/// The data sets' publishers give MD5 sums, which tell a damaged download from a whole one and promise nothing else.
/// A cryptography package would cost users minutes of building for these few lines.
struct MD5 {
  private var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
  private var block: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// The digest in lower-case hexadecimal.
  static func hexDigest(of bytes: [UInt8]) -> String {
    var digest = MD5()
    bytes.withUnsafeBytes { digest.update($0) }
    return digest.finish()
  }

  /// The digest of a whole file; leaves the file at its end.
  static func hexDigest(of file: File) throws -> String {
    var digest = MD5()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    try file.seek(to: 0)
    while case let count = try file.read(into: buffer), count > 0 {
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    return digest.finish()
  }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount += UInt64(bytes.count)
    var bytes = bytes[...]
    if !block.isEmpty {
      let taken = bytes.prefix(64 - block.count)
      block.append(contentsOf: taken)
      bytes = bytes.dropFirst(taken.count)
      if block.count < 64 { return }
      block.withUnsafeBytes { compress($0) }
      block.removeAll(keepingCapacity: true)
    }
    let whole = bytes.count / 64 * 64
    compress(UnsafeRawBufferPointer(rebasing: bytes.prefix(whole)))
    block.append(contentsOf: bytes.dropFirst(whole))
  }

  consuming func finish() -> String {
    let bitCount = byteCount &* 8
    var padding: [UInt8] = [0x80]
    while (block.count + padding.count) % 64 != 56 { padding.append(0) }
    withUnsafeBytes(of: bitCount.littleEndian) { padding.append(contentsOf: $0) }
    padding.withUnsafeBytes { update($0) }
    return state.flatMap { word in withUnsafeBytes(of: word.littleEndian) { [UInt8]($0) } }
      .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private mutating func compress(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    apus_md5_blocks(&state, start.assumingMemoryBound(to: UInt8.self), bytes.count / 64)
  }
}
