/// FNV-1a with 64 bits: finds damage and spreads names; keys are compared in full, so no more is needed.
/// Source: draft-eastlake-fnv.
package struct Checksum {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}
