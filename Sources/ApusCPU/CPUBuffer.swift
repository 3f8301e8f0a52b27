import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A block of host memory, aligned to cache lines and vector registers, freed with the last buffer that shows it.
final class Allocation {
  static let alignment = 64
  let base: UnsafeMutableRawPointer
  private let guards: MemoryGuards?

  /// `nil` when the system has no such memory.
  init?(_ byteCount: Int, guards: MemoryGuards?) {
    let margin = guards == nil ? 0 : MemoryGuards.width
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, Self.alignment, byteCount + 2 * margin) == 0, let pointer else { return nil }
    base = pointer + margin
    self.guards = guards
    guards?.watch(base, byteCount)
  }

  deinit {
    guards?.forget(base)
    free(base - (guards == nil ? 0 : MemoryGuards.width))
  }
}

/// Memory of the CPU backend: all or part of an allocation, which it keeps alive.
package struct CPUBuffer {
  let base: UnsafeMutableRawPointer
  package let byteCount: Int
  private let owner: Allocation

  init?(_ byteCount: Int, guards: MemoryGuards?) {
    guard let owner = Allocation(byteCount, guards: guards) else { return nil }
    self.init(owner: owner, base: owner.base, byteCount: byteCount)
  }

  private init(owner: Allocation, base: UnsafeMutableRawPointer, byteCount: Int) {
    self.owner = owner
    self.base = base
    self.byteCount = byteCount
  }

  /// The elements of float32 memory.
  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }

  func slice(_ range: Range<Int>) -> CPUBuffer {
    CPUBuffer(owner: owner, base: base + range.lowerBound, byteCount: range.count)
  }
}

extension Operand<CPUBuffer> {
  var base: UnsafeMutableRawPointer { buffer.base }
  /// The elements of a float32 operand.
  var floats: UnsafeMutablePointer<Float> { buffer.floats }
  var shape: [Int] { type.shape }
  var count: Int { type.count }
}
