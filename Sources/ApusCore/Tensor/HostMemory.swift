#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The host has not the memory that something would take.
///
/// `memory: 10.1 GB are needed for 'dense.kernel', the machine has 8.3 GB in all; make it smaller`
public struct HostMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
  public let byteCount: Int
  /// What the memory is for.
  public let purpose: String

  package init(byteCount: Int, purpose: String) {
    self.byteCount = byteCount
    self.purpose = purpose
  }

  public var description: String {
    "memory: \(HostMemory.gigabytes(byteCount)) are needed for \(purpose), the machine has "
      + "\(HostMemory.gigabytes(HostMemory.total)) in all; make it smaller or close other programs"
  }
}

/// Asks for memory before it is taken, since Swift's arrays stop the process where there is none.
///
/// Whatever allocates by a number from outside (a file's header, an argument) asks here first.
package enum HostMemory {
  /// The machine's memory, or less where the process's control group allows less.
  package static let total: Int = {
    let machine = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
    return min(machine, ControlGroup().memoryLimit ?? machine)
  }()

  /// Below this, asking costs more than it tells.
  private static let smallByteCount = 1 << 20

  /// - Throws: when an array of `byteCount` bytes cannot be had now.
  package static func require(_ byteCount: Int, for purpose: @autoclosure () -> String) throws(HostMemoryError) {
    if byteCount <= smallByteCount { return }
    // Mapped, since compilers take out a pair of malloc and free.
    let room =
      byteCount <= total
      ? mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED
    if room == MAP_FAILED { throw HostMemoryError(byteCount: byteCount, purpose: purpose()) }
    munmap(room, byteCount)
  }

  /// Of an array of `shape`; a size beyond all numbers is as much as can be said.
  package static func require(
    _ shape: [Int], _ dtype: DType, for purpose: @autoclosure () -> String
  ) throws(HostMemoryError) {
    let (byteCount, overflow) = (shape.checkedElementCount ?? .max).multipliedReportingOverflow(by: dtype.byteCount)
    try require(overflow ? .max : byteCount, for: purpose())
  }

  fileprivate static func gigabytes(_ byteCount: Int) -> String {
    let tenths = byteCount / 100_000_000
    return "\(tenths / 10).\(tenths % 10) GB"
  }
}
