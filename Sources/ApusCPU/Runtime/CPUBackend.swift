package import ApusCore
internal import CThreads

/// The host's processor as a device.
package final class CPUBackend: Backend {
  package enum Mode: Sendable {
    /// Every core, vector registers, and oneDNN where it is there.
    case fast
    /// Plain Swift loops on one core that accumulate in double precision: the oracle of all other kernels.
    case reference
  }

  package let device: DeviceDescription
  package let mode: Mode
  /// Whether convolutions and products run in oneDNN; else in the package's own loops.
  package let usesOneDNN: Bool
  /// Memory for tiles of expressions, and for what heavy kernels lay out; a kernel may use both at once.
  let tileScratch: Scratch
  let workScratch: Scratch
  private let guards: MemoryGuards?
  package var schedules: [String: String] = [:]
  #if OneDNN
    private var openedLibrary: OneDNN?
  #endif

  /// See `requireUsable` for what may be in the way of its use.
  ///
  /// - Parameter guards: watch all memory, in tests.
  package init(mode: Mode = .fast, guards: MemoryGuards? = nil) {
    self.mode = mode
    self.guards = guards
    usesOneDNN = mode == .fast && Self.hasOneDNN
    (tileScratch, workScratch) = (Scratch(guards: guards), Scratch(guards: guards))
    device = Self.describe(mode)
  }

  /// - Throws: `deviceUnavailable` where `APUS_ONEDNN` names a library that cannot be used, or `APUS_THREADS` is no
  ///   number of threads.
  package func requireUsable() throws(BackendError) {
    if mode == .fast, apus_threads_from_environment() == APUS_THREADS_INVALID {
      throw BackendError(
        .deviceUnavailable,
        "cpu: APUS_THREADS must be a whole number of at least 1; unset it for a thread on each of the "
          + "\(apus_core_count()) cores")
    }
    #if OneDNN
      if mode == .fast { try OneDNN.requireWanted() }
    #endif
  }

  /// What users should know of how the backend was set up; `nil` for nothing.
  package var note: String? {
    guard mode == .fast, apus_threads_from_environment() == APUS_THREADS_CAPPED else { return nil }
    return "cpu: APUS_THREADS asks for more threads than the \(apus_core_count()) cores that this process may use; "
      + "\(apus_thread_count()) are used"
  }

  /// What is missing for speed, and how to get it; `nil` where nothing is.
  package static var missing: String? {
    #if OneDNN
      OneDNN.missing
    #else
      nil
    #endif
  }

  private static var hasOneDNN: Bool {
    #if OneDNN
      OneDNN.isLoaded
    #else
      false
    #endif
  }

  // MARK: Memory

  package func allocate(_ byteCount: Int) throws(BackendError) -> CPUBuffer {
    try CPUBuffer(byteCount, limit: device.memoryBytes, guards: guards)
  }

  package func slice(_ buffer: CPUBuffer, _ range: Range<Int>) throws(BackendError) -> CPUBuffer {
    guard range.lowerBound >= 0, range.upperBound <= buffer.byteCount else {
      throw BackendError(.driver, "cpu: bytes \(range) do not lie in a buffer of \(buffer.byteCount) bytes")
    }
    return buffer.slice(range)
  }

  package func copy(_ bytes: UnsafeRawBufferPointer, to buffer: CPUBuffer) throws(BackendError) {
    try requireRoom(for: bytes.count, in: buffer)
    if let source = bytes.baseAddress { buffer.base.copyMemory(from: source, byteCount: bytes.count) }
  }

  package func copy(_ buffer: CPUBuffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try requireRoom(for: bytes.count, in: buffer)
    bytes.baseAddress?.copyMemory(from: buffer.base, byteCount: bytes.count)
  }

  private func requireRoom(for byteCount: Int, in buffer: CPUBuffer) throws(BackendError) {
    guard byteCount <= buffer.byteCount else {
      throw BackendError(.driver, "cpu: cannot copy \(byteCount) bytes, the buffer has \(buffer.byteCount)")
    }
  }

  // MARK: Kernels

  package func prepare(_ request: KernelRequest) -> Prepared? {
    guard let operation = request.op.onCPU else { return nil }
    if mode == .reference || request.needsReference {
      return Prepared(schedule: ReferenceSchedule(), takesEpilogue: operation.takesEpilogue)
    }
    return operation.prepare(request, on: self)
  }

  package func kernel(for invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel {
    adoptThread()
    guard let operation = invocation.op.onCPU else { preconditionFailure("\(invocation.op.name) has no kernel") }
    if invocation.schedule is ReferenceSchedule {
      return CPUKernel(invocation, invocation.withReferenceEpilogue(operation.reference(invocation)))
    }
    return CPUKernel(invocation, try operation.body(invocation, on: self))
  }

  #if OneDNN
    /// oneDNN, opened at the first kernel that needs it.
    func library() throws(BackendError) -> OneDNN {
      if let openedLibrary { return openedLibrary }
      let library = try OneDNN()
      openedLibrary = library
      return library
    }
  #endif

  package func run(_ kernels: [CPUKernel]) throws(BackendError) {
    adoptThread()
    for kernel in kernels { try kernel.body() }
  }

  package func profile(_ kernels: [CPUKernel]) throws(BackendError) -> [[RunProfile.Launch]] {
    adoptThread()
    let clock = ContinuousClock()
    var launches: [[RunProfile.Launch]] = []
    launches.reserveCapacity(kernels.count)
    let origin = clock.now
    for kernel in kernels {
      let start = clock.now
      try kernel.body()
      let end = clock.now
      launches.append([
        RunProfile.Launch(
          name: kernel.name, start: (start - origin) / .seconds(1), duration: (end - start) / .seconds(1))
      ])
    }
    return launches
  }

  /// The reference has no threads, and must not settle whose threads are used before oneDNN brings its own.
  private func adoptThread() {
    if mode == .fast { apus_adopt_thread() }
  }
}

/// Plain loops in float64.
private struct ReferenceSchedule: KernelSchedule {
  var name: String { "reference" }
}

extension KernelRequest {
  /// Whether only the plain loops compute it: on float64, and for an empty operand, whose result (a sum of nothing)
  /// libraries do not define.
  var needsReference: Bool {
    (operands + [result]).contains { $0.dtype == .float64 } || operands.contains { $0.count == 0 }
  }
}

extension Invocation<CPUBuffer> {
  /// The operation and where it is, for messages.
  var description: String { label.isEmpty ? op.name : "\(label) (\(op.name))" }
}
