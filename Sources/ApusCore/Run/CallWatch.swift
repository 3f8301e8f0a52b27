import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Watches the calls into a driver, and ends the process when one hangs.
///
/// A call hangs when it makes no progress for `limit`, however long those before it took. Where the host's processor
/// does the work, because the call compiles or the device is the processor, processor time that the process takes is
/// progress: a large batch and a slow compiler may take their time.
///
/// A hung thread cannot be given back to its caller, so the process ends without another call into the driver. That is
/// for a program to decide: nothing is watched until `begin`.
package enum CallWatch {
  /// A driver's call that has not returned, if there is one, and how many calls were begun.
  package struct Call {
    var name: UnsafePointer<CChar>?
    var count: UInt

    package init(name: UnsafePointer<CChar>?, count: UInt) {
      self.name = name
      self.count = count
    }
  }

  private struct State {
    var call: (@Sendable () -> Call)?
    var device: (name: String, isProcessor: Bool) = ("the driver", false)
    var advice = "choose another device with --device"
  }

  private static let state = Mutex(State())
  private static let isOn = Atomic(false)

  /// Seconds to wait unless `APUS_DEVICE_TIMEOUT` names others.
  package static let defaultLimit = 30.0

  /// The seconds in `text`, from a tenth to a day; `nil` for anything else.
  package static func limit(parsing text: String) -> Double? {
    guard let seconds = Double(text), (0.1...86_400).contains(seconds) else { return nil }
    return seconds
  }

  /// Where to look for the call in progress.
  package static func observe(_ call: @escaping @Sendable () -> Call) { state.withLock { $0.call = call } }

  /// The device that calls are for from now on.
  package static func use(_ device: DeviceDescription) {
    state.withLock { $0.device = (device.name, device.kind == .cpu) }
  }

  /// What the last words say of the work that is safe, and what to do.
  package static func advise(_ text: String) { state.withLock { $0.advice = text } }

  /// Watches from now on; a call without progress for `limit` seconds ends the process with `status`.
  package static func begin(limit: Double, status: Int32) {
    if isOn.exchange(true, ordering: .relaxed) { return }
    let watch = Watch(limit: limit, status: status)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<Watch>.fromOpaque(pointer.unsafelyUnwrapped).takeRetainedValue().run()
      }, Unmanaged.passRetained(watch).toOpaque())
  }

  /// Calls in which drivers compile.
  private static func compiles(_ name: String) -> Bool {
    ["clCreateProgramWithBinary", "clBuildProgram", "clGetProgramInfo", "clCreateKernel"].contains(name)
  }

  /// What the watching thread knows.
  private final class Watch {
    private let limit: Double
    private let status: Int32
    private var count: UInt = 0
    private var waited = 0.0
    private var lookedAt = seconds(CLOCK_MONOTONIC)
    private var processorTime = 0.0

    init(limit: Double, status: Int32) {
      self.limit = limit
      self.status = status
    }

    func run() -> Never {
      while true {
        usleep(100_000)
        look()
      }
    }

    private func look() {
      let now = seconds(CLOCK_MONOTONIC)
      // A process that was stopped, or that gets little of a busy machine, has not waited all the while.
      let passed = min(now - lookedAt, 0.2)
      lookedAt = now
      let (call, device, advice) = state.withLock { ($0.call?(), $0.device, $0.advice) }
      guard let call, let pointer = call.name else { return progressed() }
      let name = String(cString: pointer)
      if call.count != count {
        count = call.count
        return progressed()
      }
      if device.isProcessor || compiles(name), othersTime - processorTime > 0.05 { return progressed() }
      waited += passed
      guard waited > limit else { return }
      ProgressLine.erase()
      var words = "apus: \(device.name): \(name) has not returned for \(Int(waited)) s: the device or its driver "
      words += "hangs; \(advice) (APUS_DEVICE_TIMEOUT sets the seconds to wait)\n"
      words.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      _exit(status)
    }

    private func progressed() {
      waited = 0
      processorTime = othersTime
    }

    /// Processor time of all threads but this one.
    private var othersTime: Double { seconds(CLOCK_PROCESS_CPUTIME_ID) - seconds(CLOCK_THREAD_CPUTIME_ID) }
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
