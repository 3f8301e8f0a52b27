import ApusCPU
public import ApusCore
import Foundation

#if OpenCL
  import ApusOpenCL
#endif

/// The device that a program asks for; which one it is is decided at run time, when a session is opened.
///
/// ```swift
/// let session = try Device(parsing: "opencl:gpu").openSession()
/// print(session.device.name)
/// ```
public enum Device: Hashable, Sendable {
  /// The fastest that passes its self-test: a GPU, else the CPU backend.
  case automatic
  /// The CPU backend.
  case cpu
  /// The CPU backend's plain Swift implementation, which all others are tested against. Slow.
  case reference
  /// One of the OpenCL devices: `.openCL(.best)`, `.openCL(0)`, `.openCL("radeon")`.
  case openCL(DeviceSelection)

  /// The best OpenCL device: a GPU before a CPU. The same as `.openCL(.best)`.
  public static let openCL = Device.openCL(.best)
  /// The first OpenCL device that is a GPU. The same as `.openCL(.kind(.gpu))`.
  public static let gpu = Device.openCL(.kind(.gpu))

  /// `auto`, `cpu`, `reference`, `opencl`, `opencl:N`, `opencl:gpu`, `opencl:cpu` or `opencl:NAME`.
  ///
  /// - Throws: `BackendError` with code `deviceUnavailable` that lists the forms.
  public init(parsing text: String) throws(BackendError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    switch (parts[0].lowercased(), parts.count > 1 ? parts[1] : nil) {
    case ("auto", nil): self = .automatic
    case ("cpu", nil): self = .cpu
    case ("reference", nil): self = .reference
    case ("opencl", nil): self = .openCL(.best)
    case ("opencl", let choice?) where !choice.isEmpty: self = .openCL(DeviceSelection(choice))
    default:
      throw BackendError(
        .deviceUnavailable,
        "'\(text)' is not a device; use auto, cpu, opencl, opencl:N, opencl:gpu, opencl:cpu or opencl:NAME "
          + "(`apus devices` lists them)")
    }
  }

  /// The device that the environment variable `APUS_DEVICE` names; automatic when it is not set.
  public static func fromEnvironment() throws(BackendError) -> Device {
    guard let text = ProcessInfo.processInfo.environment["APUS_DEVICE"], !text.isEmpty else { return .automatic }
    return try Device(parsing: text)
  }

  /// The CPU backend.
  public static var processor: DeviceDescription { CPUBackend().device }

  /// All devices of this machine: the CPU backend, then OpenCL's in the drivers' order.
  ///
  /// - Throws: `BackendError` when OpenCL is built in but cannot be used; `processor` is there all the same.
  public static func all() throws(BackendError) -> [DeviceDescription] {
    var found = [processor]
    #if OpenCL
      found += try OpenCLDevice.all().map(\.description)
    #endif
    return found
  }

  /// Opens the device.
  ///
  /// An OpenCL device that was asked for is never replaced by another; only `automatic` chooses.
  ///
  /// What `apus tune` found for the device is used.
  ///
  /// - Parameter note: told, once each, why `automatic` passes over a GPU and why tunings are not used, of a library
  ///   that the CPU backend misses, and of a debug build; a line on standard error when not given.
  /// - Throws: `BackendError` with code `deviceUnavailable` when there is no such device.
  public func openSession(note: (String) -> Void = Device.printNote) throws(BackendError) -> any Session {
    noteDebugBuild(note)
    let session = try open(note: note)
    (session as? any TunableSession)?.loadTuning(note: note)
    return session
  }

  private func open(note: (String) -> Void) throws(BackendError) -> any Session {
    switch self {
    case .automatic:
      if let gpu = Self.firstThatPasses(Self.gpus(note: note), note: note) { return gpu }
      return try Self.openCPU(note: note)
    case .cpu: return try Self.openCPU(note: note)
    case .reference: return BackendSession(CPUBackend(mode: .reference))
    case .openCL(let selection):
      #if OpenCL
        return BackendSession(try OpenCLBackend(try OpenCLDevice.select(selection)))
      #else
        throw BackendError(
          .deviceUnavailable,
          "\(self): this build has no OpenCL backend; build with the trait OpenCL (it is on by default)")
      #endif
    }
  }

  private static func openCPU(note: (String) -> Void) throws(BackendError) -> any Session {
    let backend = CPUBackend()
    try backend.requireUsable()
    if let text = backend.note { note(text) }
    noteMissingLibrary(note)
    return BackendSession(backend)
  }
}

extension Device: CustomStringConvertible {
  public var description: String {
    switch self {
    case .automatic: "auto"
    case .cpu: "cpu"
    case .reference: "reference"
    case .openCL(.best): "opencl"
    case .openCL(let selection): "opencl:\(selection)"
    }
  }
}

/// Encoded as its description: `opencl:gpu`.
extension Device: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(parsing: container.decode(String.self))
    } catch let error as BackendError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(error)")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
