import ApusCore
import Synchronization

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
  let byteCount: Int
  private let guards: MemoryGuards?

  /// Bytes of all allocations of the process.
  private static let total = Atomic(0)

  /// Throws `outOfMemory` where this and all others together take more than `limit` bytes: the system promises more
  /// than it has and stops the process later.
  init(_ byteCount: Int, limit: Int, guards: MemoryGuards?) throws(BackendError) {
    let used = Self.total.add(byteCount, ordering: .relaxed).oldValue
    let margin = guards == nil ? 0 : MemoryGuards.width
    var pointer: UnsafeMutableRawPointer?
    guard byteCount <= limit - used, posix_memalign(&pointer, Self.alignment, byteCount + 2 * margin) == 0, let pointer
    else {
      Self.total.subtract(byteCount, ordering: .relaxed)
      throw .outOfMemory(
        requested: byteCount, limit: limit, on: "cpu",
        why: used == 0 ? "the machine has" : "\(used.formattedBytes) are in use of")
    }
    base = pointer + margin
    self.byteCount = byteCount
    self.guards = guards
    guards?.watch(base, byteCount)
  }

  deinit {
    guards?.forget(base)
    free(base - (guards == nil ? 0 : MemoryGuards.width))
    Self.total.subtract(byteCount, ordering: .relaxed)
  }
}

/// Memory of the CPU backend: all or part of an allocation, which it keeps alive.
package struct CPUBuffer {
  let base: UnsafeMutableRawPointer
  package let byteCount: Int
  private let owner: Allocation

  init(_ byteCount: Int, limit: Int, guards: MemoryGuards? = nil) throws(BackendError) {
    let owner = try Allocation(byteCount, limit: limit, guards: guards)
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
