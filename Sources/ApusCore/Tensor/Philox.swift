/// Counter-based randomness: Philox 4x32 with 10 rounds.
///
/// A number depends only on the key (seed, stream) and the counter, so any device computes the same one in any order,
/// and a backward pass derives a dropout mask again instead of storing it.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public enum Philox {
  /// Four random words for a counter and a key.
  @inlinable
  public static func words(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(0xD251_1F53) * UInt64(c.0)
      let b = UInt64(0xCD9E_8D57) * UInt64(c.2)
      c = (
        UInt32(truncatingIfNeeded: b >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: a)
      )
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }

  /// The uniform number in [0, 1), a multiple of 2^-24, of element `index`:
  /// counter (index low, index high, step, 0), key (seed, stream), first word.
  @inlinable
  public static func uniform(seed: UInt32, step: UInt32, stream: UInt32, index: UInt64) -> Float {
    let word = words(
      counter: (UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), step, 0),
      key: (seed, stream)
    ).0
    return Float(word >> 8) * 0x1p-24
  }
}

/// A seeded generator over Philox, for initial weights and shuffles: the same sequence on every machine.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
  private let key: (UInt32, UInt32)
  private let part: UInt32
  private var counter: UInt64 = 0

  /// `stream` separates independent sequences of one seed, `part` those of a stream.
  public init(seed: UInt64, stream: UInt32 = 0, part: UInt32 = 0) {
    self.key = (UInt32(truncatingIfNeeded: seed) ^ UInt32(truncatingIfNeeded: seed >> 32), stream)
    self.part = part
  }

  public mutating func next() -> UInt64 {
    let words = Philox.words(
      counter: (UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), part, 1), key: key)
    counter += 1
    return UInt64(words.0) << 32 | UInt64(words.1)
  }

  /// A uniform number in [0, 1) with 24 bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }
}
