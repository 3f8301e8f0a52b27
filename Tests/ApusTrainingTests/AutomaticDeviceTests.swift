import ApusCPU
import ApusCore
import Testing

@testable import ApusDevices

/// The reference backend with one kind of kernel that computes nothing.
private final class BrokenBackend: Backend {
  typealias Buffer = CPUBackend.Buffer
  typealias Kernel = CPUBackend.Kernel?
  let base = CPUBackend(mode: .reference)
  var device: DeviceDescription { base.device }

  func allocate(_ byteCount: Int) throws(BackendError) -> Buffer { try base.allocate(byteCount) }
  func slice(_ buffer: Buffer, _ range: Range<Int>) throws(BackendError) -> Buffer { try base.slice(buffer, range) }
  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) throws(BackendError) {
    try base.copy(bytes, to: buffer)
  }
  func copy(_ buffer: Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try base.copy(buffer, to: bytes)
  }
  func prepare(_ request: KernelRequest) -> Prepared? { base.prepare(request) }
  func kernel(for invocation: Invocation<Buffer>) throws(BackendError) -> Kernel {
    if case .matMul = invocation.op { return nil }
    return try base.kernel(for: invocation)
  }
  func run(_ kernels: [Kernel]) throws(BackendError) { try base.run(kernels.compactMap { $0 }) }
  func profile(_ kernels: [Kernel]) throws(BackendError) -> [[RunProfile.Launch]] {
    try base.profile(kernels.compactMap { $0 })
  }
}

@Suite struct AutomaticDeviceTests {
  private func candidate(_ name: String, _ open: @escaping () throws(BackendError) -> any Session) -> Candidate {
    Candidate(name: name, open: open)
  }

  @Test func aDeviceThatFailsIsPassedOverWithANote() throws {
    let good = BackendSession(CPUBackend(mode: .reference))
    var notes: [String] = []
    let chosen = Device.firstThatPasses(
      [
        candidate("opencl:0 (absent)") { () throws(BackendError) in throw BackendError(.driver, "no context") },
        candidate("opencl:1 (wrong)") { BackendSession(BrokenBackend()) },
        candidate("opencl:2 (good)") { good },
        candidate("opencl:3 (never opened)") { () throws(BackendError) in throw BackendError(.driver, "opened") },
      ], note: { notes.append($0) })
    #expect(chosen === good)
    try #require(notes.count == 2)
    #expect(notes[0] == "opencl:0 (absent) is passed over: no context")
    #expect(notes[1].hasPrefix("opencl:1 (wrong) is passed over: it fails "))
    #expect(notes[1].contains("first matMul 17x33x65: result: relative error"))
  }

  @Test func withoutCandidatesThereIsNoNote() {
    #expect(Device.firstThatPasses([], note: { Issue.record("\($0)") }) == nil)
  }
}
