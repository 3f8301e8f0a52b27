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
}
