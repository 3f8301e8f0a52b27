import ApusCore
import Testing

@testable import ApusCPU

/// All memory of the process counts, not each allocation for itself.
struct MemoryLimitTests {
  @Test func theSumOfAllocationsIsLimited() throws {
    // Nothing is written to it, so that the system gives no page. Other tests have little beside it.
    let (size, limit) = (4 << 30, 6 << 30)
    var first: CPUBuffer? = try CPUBuffer(size, limit: limit)
    let error = #expect(throws: BackendError.self) { try CPUBuffer(size, limit: limit) }
    #expect(error?.code == .outOfMemory && error?.requestedBytes == size && error?.limitBytes == limit)
    #expect(error?.description.contains("are in use of 6.00 GB") == true, "\(error!)")
    // A part keeps the whole.
    var part = first?.slice(0..<64)
    first = nil
    #expect(throws: BackendError.self) { try CPUBuffer(size, limit: limit) }
    #expect(part?.byteCount == 64)
    part = nil
    #expect(throws: Never.self) { try CPUBuffer(size, limit: limit) }
  }
}
