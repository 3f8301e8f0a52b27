/// Tells of writes past the ends of a backend's memory, for tests: every block lies between guard bytes, and is full of
/// NaNs when it is made. Scratch memory is a block, too; that of several kernels is as large as the largest needs.
package final class MemoryGuards {
  /// Guard bytes before and after each block.
  package static let width = 4096
  /// Four of them are a NaN.
  package static let poison: UInt8 = 0xFF

  private var blocks: [UnsafeMutableRawPointer: Int] = [:]
  private var found: [String] = []

  package init() {}

  /// What was found in blocks that are gone, and what is seen in those that are left.
  package func damage() -> [String] {
    found
      + blocks.compactMap {
        Self.damage(UnsafeRawBufferPointer(start: $0.key - Self.width, count: $0.value + 2 * Self.width))
      }
  }

  /// The guard bytes of a block that are not what they were, in words; `nil` where all are.
  ///
  /// - Parameter bytes: the block with its guard bytes.
  package static func damage(_ bytes: UnsafeRawBufferPointer) -> String? {
    let byteCount = bytes.count - 2 * width
    func first(_ range: Range<Int>) -> Int? { range.first { bytes[$0] != poison } }
    if let place = first(0..<width) { return "a block of \(byteCount) bytes was written to at byte \(place - width)" }
    if let place = first((width + byteCount)..<bytes.count) {
      return "a block of \(byteCount) bytes was written to at byte \(place - width)"
    }
    return nil
  }

  func watch(_ base: UnsafeMutableRawPointer, _ byteCount: Int) {
    (base - Self.width).initializeMemory(as: UInt8.self, repeating: Self.poison, count: byteCount + 2 * Self.width)
    blocks[base] = byteCount
  }

  func forget(_ base: UnsafeMutableRawPointer) {
    guard let byteCount = blocks.removeValue(forKey: base) else { return }
    let bytes = UnsafeRawBufferPointer(start: base - Self.width, count: byteCount + 2 * Self.width)
    if let damage = Self.damage(bytes) { found.append(damage) }
  }
}
