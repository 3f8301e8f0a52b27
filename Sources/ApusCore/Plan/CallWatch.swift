import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Watches calls into a driver that wait for the device, and ends the process when one hangs.
///
/// A call hangs when it makes no progress for `max(limit, 20 t)`, where `t` is the longest call so far: a device that
/// has answered in milliseconds has `limit`, one that takes seconds a step gets more. On a device that computes on the
/// host's processor, processor time that the process takes is progress, too, so a large batch may take its time.
/// Builds of programs are not watched: compilers take minutes on some machines.
///
/// A hung thread cannot be given back to its caller, so the process ends without another call into the driver. That is
/// for a program to decide: nothing is watched until `begin`.
package enum CallWatch {
  private struct State {
    var call: (name: String, device: String, onHost: Bool, progress: Double, cpu: Double)?
    var start = 0.0
    var longest = 0.0
    var advice = ""
  }

  private static let state = Mutex(State())
  private static let isOn = Atomic(false)

  /// Seconds: 30, or what `APUS_DEVICE_TIMEOUT` names.
  package static let defaultLimit: Double = {
    guard let text = getenv("APUS_DEVICE_TIMEOUT"), let value = Double(String(cString: text)), value > 0 else {
      return 30
    }
    return value
  }()

  /// What the last words say of the work that is safe.
  package static func advise(_ text: String) { state.withLock { $0.advice = text } }

  /// Watches from now on; a call that hangs ends the process with `status`.
  package static func begin(status: Int32) {
    if isOn.exchange(true, ordering: .relaxed) { return }
    exitStatus.store(status, ordering: .relaxed)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        while true {
          usleep(100_000)
          CallWatch.look()
        }
      }, nil)
  }

  private static let exitStatus = Atomic<Int32>(0)

  /// Runs `body`, a call named `name` that waits for `device`; the outermost of nested ones counts.
  package static func watch<T>(_ name: @autoclosure () -> String, on device: DeviceDescription, _ body: () -> T) -> T {
    guard isOn.load(ordering: .relaxed) else { return body() }
    let isOutermost = state.withLock { state in
      if state.call != nil { return false }
      state.start = seconds(CLOCK_MONOTONIC)
      state.call = (name(), device.name, device.kind == .cpu, state.start, seconds(CLOCK_PROCESS_CPUTIME_ID))
      return true
    }
    let result = body()
    if isOutermost {
      state.withLock {
        $0.longest = max($0.longest, seconds(CLOCK_MONOTONIC) - $0.start)
        $0.call = nil
      }
    }
    return result
  }

  private static func look() {
    let words: String? = state.withLock { state in
      guard var call = state.call else { return nil }
      let now = seconds(CLOCK_MONOTONIC)
      let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID)
      // More than this watch itself takes.
      if call.onHost, cpu - call.cpu > 0.05 {
        call.progress = now
        call.cpu = cpu
        state.call = call
      }
      guard now - call.progress > max(defaultLimit, 20 * state.longest) else { return nil }
      return "apus: \(call.device): \(call.name) has not returned for \(Int(now - call.progress)) s: the device or its "
        + "driver hangs; \(state.advice) (APUS_DEVICE_TIMEOUT sets the seconds to wait)\n"
    }
    guard var words else { return }
    words.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    _exit(exitStatus.load(ordering: .relaxed))
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
