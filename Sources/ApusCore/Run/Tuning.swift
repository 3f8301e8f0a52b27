// The seam of the tuner: operations that a device can compute in several ways, and where the choice is kept.

/// A backend some of whose operations have several schedules.
package protocol TunableBackend: Backend {
  /// `nil` where there is one schedule.
  func scheduleChoice(for request: KernelRequest) -> ScheduleChoice?
  /// Schedules for the kernels to be prepared, by problem. A problem that is not there, or whose schedule is none of its
  /// choice, gets the backend's own.
  var schedules: [String: String] { get set }
  /// `nil` where nothing is kept on disk.
  func tuningPlace() throws(BackendError) -> TuningPlace?
}

extension TunableBackend {
  /// The schedule that was chosen for `problem` if it is one of `all`, else `usual`. `all` is called only where there is
  /// a choice.
  package func chosen<S: KernelSchedule>(_ problem: @autoclosure () -> String, usual: S, all: () -> [S]) -> S {
    guard !schedules.isEmpty, let name = schedules[problem()] else { return usual }
    return all().first { $0.name == name } ?? usual
  }
}

/// The session of such a backend.
package protocol TunableSession: Session {
  var tunable: any TunableBackend { get }
}

extension BackendSession: TunableSession where B: TunableBackend {
  package var tunable: any TunableBackend { backend }
}

/// An operation of certain shapes, and the schedules that compute it.
package struct ScheduleChoice: Hashable, Sendable {
  /// The operation, its attributes and its shapes; the key of a choice.
  package let problem: String
  /// Names of the schedules; the first is the backend's own choice.
  package let schedules: [String]

  package init(problem: String, schedules: [String]) {
    self.problem = problem
    self.schedules = schedules
  }

  /// Those of `schedules` that differ; `nil` where there is but one.
  package init?(_ problem: String, _ schedules: [some KernelSchedule]) {
    var names: [String] = []
    for schedule in schedules where !names.contains(schedule.name) { names.append(schedule.name) }
    guard names.count > 1 else { return nil }
    self.init(problem: problem, schedules: names)
  }
}

extension ConvolutionShape {
  /// The key of a pass over these shapes.
  package func problem(_ pass: ConvolutionPass) -> String {
    let sizes = "x \(n)x\(h)x\(w)x\(c) filter \(r)x\(s)x\(groupC)x\(k) \(window)"
    let groups = groups == 1 ? "" : " groups \(groups)"
    return "\(pass.kernelName) \(sizes)\(groups)"
  }
}

/// Where measured choices and what devices build are kept: what `APUS_KERNEL_CACHE` names (`off`: nothing), else
/// `apus/kernels` in the user's cache.
package func kernelCacheFolder(_ variable: (String) -> String? = { Environment[$0] }) -> String? {
  if let choice = variable("APUS_KERNEL_CACHE") { return choice == "off" ? nil : choice }
  if let cache = variable("XDG_CACHE_HOME"), cache.hasPrefix("/") { return FilePath.join(cache, "apus/kernels") }
  return variable("HOME").map { FilePath.join($0, ".cache/apus/kernels") }
}

/// What measured choices depend on, and the file that keeps them.
package struct TuningPlace: Hashable, Sendable {
  package let path: String
  package let device: String
  package let driver: String
  /// Checksum of all kernels' sources.
  package let kernels: String

  package init(path: String, device: String, driver: String, kernels: String) {
    self.path = path
    self.device = device
    self.driver = driver
    self.kernels = kernels
  }

  /// The file of a device in the folder of built kernels.
  package init(in folder: String, _ device: DeviceDescription, driver: String, kernels: String) {
    let name = "\(device.name), \(device.computeUnits) compute units"
    let key = Checksum("\(name)\n\(driver)\n\(kernels)".utf8).value
    self.init(
      path: FilePath.join(folder, "tuning-\(String(key, radix: 16)).json"), device: name, driver: driver,
      kernels: kernels)
  }
}
