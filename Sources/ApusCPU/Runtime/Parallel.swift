import ApusCore
internal import CThreads

/// A loop cut into fixed parts that the pool's threads run.
///
/// The cut is made when a kernel is bound: running the loop allocates nothing, and what a part computes does not depend
/// on timing.
final class ParallelLoop {
  private let parts: Int32
  private let body: (Int) -> Void

  init(parts: Int, _ body: @escaping (Int) -> Void) {
    self.parts = Int32(parts)
    self.body = body
  }

  func run() {
    apus_parallel(
      parts,
      { context, part, _ in
        Unmanaged<ParallelLoop>.fromOpaque(context!)._withUnsafeGuaranteedRef { $0.body(Int(part)) }
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

/// A closure that runs `body(range, part)` over `0 ..< count`, in at most as many parts as there are threads.
///
/// - Parameters:
///   - grain: parts start at multiples of it.
///   - minimum: items that are worth a thread of their own.
func parallelLoop(
  over count: Int, grain: Int = 1, minimum: Int = 1, _ body: @escaping (_ range: Range<Int>, _ part: Int) -> Void
) -> () -> Void {
  let units = (count + grain - 1) / grain
  let parts = max(1, min(Int(apus_thread_count()), units, count / max(minimum, 1)))
  if parts == 1 { return { body(0..<count, 0) } }
  let loop = ParallelLoop(parts: parts) { part in
    let first = units * part / parts * grain
    let end = min(units * (part + 1) / parts * grain, count)
    body(first..<end, part)
  }
  return { loop.run() }
}

/// Memory for intermediate values that all kernels of a backend share, since they run one after the other.
final class Scratch {
  private var allocation: Allocation?
  private let guards: MemoryGuards?

  init(guards: MemoryGuards? = nil) { self.guards = guards }

  /// `nil` until something is reserved. A larger reservation moves it: kernels look it up when they run.
  var base: UnsafeMutableRawPointer? { allocation?.base }

  /// Makes room for a kernel that needs `wanted` bytes.
  func reserve(_ wanted: Int, limit: Int) throws(BackendError) {
    guard wanted > allocation?.byteCount ?? 0 || allocation == nil else { return }
    allocation = try Allocation(max(wanted, Allocation.alignment), limit: limit, guards: guards)
  }

  /// The part of what was reserved that belongs to one part of a loop.
  func floats(part: Int, stride: Int) -> UnsafeMutablePointer<Float> {
    base!.assumingMemoryBound(to: Float.self) + part * stride
  }
}

extension Int {
  /// So many floats, and as many more as fill the last cache line: threads do not write to the same one.
  var roundedUpToLine: Int { (self + 15) / 16 * 16 }
}
