/// FNV-1a with 64 bits: finds damage and spreads names; keys are compared in full, so no more is needed.
/// Source: draft-eastlake-fnv.
package struct Checksum {
  package private(set) var value: UInt64 = 0

  package init(_ bytes: some Sequence<UInt8>) {
    // The loop over memory is compiled for it, whichever module calls.
    if bytes.withContiguousStorageIfAvailable({ value = Self.value(of: $0) }) == nil {
      value = Array(bytes).withUnsafeBufferPointer(Self.value)
    }
  }

  private static func value(of bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
