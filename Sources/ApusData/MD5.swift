import ApusCore

/// The MD5 digest of RFC 1321.
///
/// The data sets' publishers give MD5 sums, which tell a damaged download from a whole one and promise nothing else.
/// A cryptography package would cost users minutes of building for these few lines.
struct MD5 {
  private var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
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
    return [state.0, state.1, state.2, state.3].flatMap { word in withUnsafeBytes(of: word.littleEndian) { [UInt8]($0) } }
      .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private mutating func compress(_ bytes: UnsafeRawBufferPointer) {
    Self.sines.withUnsafeBufferPointer { sines in
      var (a0, b0, c0, d0) = state
      for start in stride(from: 0, to: bytes.count, by: 64) {
        var (a, b, c, d) = (a0, b0, c0, d0)
        func step(_ f: UInt32, _ word: Int, _ sine: Int, _ shift: UInt32) {
          let x = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start &+ 4 &* word, as: UInt32.self))
          let sum = a &+ f &+ sines[sine] &+ x
          (a, d, c, b) = (d, c, b, b &+ (sum &<< shift | sum &>> (32 &- shift)))
        }
        var i = 0
        while i < 16 {
          step(b & c | ~b & d, i, i, Self.shift(7, 12, 17, 22, i))
          i &+= 1
        }
        while i < 32 {
          step(d & b | ~d & c, (5 &* i &+ 1) & 15, i, Self.shift(5, 9, 14, 20, i))
          i &+= 1
        }
        while i < 48 {
          step(b ^ c ^ d, (3 &* i &+ 5) & 15, i, Self.shift(4, 11, 16, 23, i))
          i &+= 1
        }
        while i < 64 {
          step(c ^ (b | ~d), (7 &* i) & 15, i, Self.shift(6, 10, 15, 21, i))
          i &+= 1
        }
        (a0, b0, c0, d0) = (a0 &+ a, b0 &+ b, c0 &+ c, d0 &+ d)
      }
      state = (a0, b0, c0, d0)
    }
  }

  private static func shift(_ s0: UInt32, _ s1: UInt32, _ s2: UInt32, _ s3: UInt32, _ i: Int) -> UInt32 {
    switch i & 3 {
    case 0: s0
    case 1: s1
    case 2: s2
    default: s3
    }
  }

  /// `floor(2^32 * |sin(i + 1)|)`.
  private static let sines: [UInt32] = [
    0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613, 0xFD46_9501,
    0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193, 0xA679_438E, 0x49B4_0821,
    0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D, 0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8,
    0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED, 0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A,
    0xFFFA_3942, 0x8771_F681, 0x6D9D_6122, 0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70,
    0x289B_7EC6, 0xEAA1_27FA, 0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665,
    0xF429_2244, 0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
    0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB, 0xEB86_D391,
  ]
}
