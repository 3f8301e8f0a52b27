/// Which byte of a number comes first.
enum ByteOrder {
  case littleEndian, bigEndian
}

extension Array<UInt8> {
  /// A number of at most 8 bytes; `nil` where not all of them are there, or it is above `Int.max`.
  func number(at offset: Int, bytes count: Int, _ order: ByteOrder) -> Int? {
    guard offset >= 0, offset <= self.count - count else { return nil }
    let digits = self[offset..<(offset + count)]
    let value =
      order == .littleEndian
      ? digits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: value)
  }

  /// A little-endian number of at most 4 bytes, which must be there.
  func number(at offset: Int, bytes count: Int) -> Int { number(at: offset, bytes: count, .littleEndian)! }
}
