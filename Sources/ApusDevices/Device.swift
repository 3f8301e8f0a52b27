public import ApusCore
import ApusCPU
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
  case openCL(OpenCLChoice)

  /// One of the OpenCL devices.
  public enum OpenCLChoice: Hashable, Sendable {
    /// The best one: GPU, then accelerator, then CPU.
    case best
    /// Its number in the list of devices.
    case index(Int)
    /// The best GPU.
    case gpu
    /// The best CPU device, such as pocl's.
    case cpu
    /// A piece of its name, of any case.
    case named(String)
  }

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
    case ("opencl", let choice?) where !choice.isEmpty:
      switch choice.lowercased() {
      case "gpu": self = .openCL(.gpu)
      case "cpu": self = .openCL(.cpu)
      default: self = .openCL(Int(choice).map(OpenCLChoice.index) ?? .named(choice))
      }
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
}

extension Device: CustomStringConvertible {
  public var description: String {
    switch self {
    case .automatic: "auto"
    case .cpu: "cpu"
    case .reference: "reference"
    case .openCL(.best): "opencl"
    case .openCL(.index(let index)): "opencl:\(index)"
    case .openCL(.gpu): "opencl:gpu"
    case .openCL(.cpu): "opencl:cpu"
    case .openCL(.named(let name)): "opencl:\(name)"
    }
  }
}
