import ApusCore
import ApusDevices
import Foundation
import Testing

#if OpenCL
  import ApusOpenCL
#endif

/// The backends under test, each opened once. Sessions are confined to one thread at a time, so all suites that use
/// them are parts of the serialized suite `BackendTests`.
enum TestBackend: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case cpu
  #if OpenCL
    case openCLCPUClass = "opencl, CPU-class kernels"
    case openCLGPUClass = "opencl, GPU-class kernels"
  #endif

  var testDescription: String { rawValue }

  /// All that this machine has, or those that `APUS_TEST_BACKENDS` names (`cpu`, `opencl-cpu`, `opencl-gpu`), so that
  /// several processes share them.
  static let allCases: [TestBackend] = {
    var all: [(name: String, backend: TestBackend)] = [("cpu", .cpu)]
    #if OpenCL
      all += [("opencl-cpu", .openCLCPUClass), ("opencl-gpu", .openCLGPUClass)]
    #endif
    guard let wanted = ProcessInfo.processInfo.environment["APUS_TEST_BACKENDS"] else {
      return all.map(\.backend).filter { $0 == .cpu || hasOpenCL }
    }
    let names = wanted.split(separator: ",")
    precondition(names.allSatisfy { name in all.contains { $0.name == name } }, "APUS_TEST_BACKENDS=\(wanted)")
    return all.filter { names.contains(Substring($0.name)) }.map(\.backend)
  }()

  func session() throws -> any Session {
    try Self.sessions.session(self) {
      switch self {
      case .cpu: return try Device.cpu.openSession()
      #if OpenCL
        case .openCLCPUClass: return try Self.openCL(.cpu)
        case .openCLGPUClass: return try Self.openCL(.gpu)
      #endif
      }
    }
  }

  /// Whether there is an OpenCL library; where there is none, a line says that its backends are not tested.
  static let hasOpenCL: Bool = {
    #if OpenCL
      do {
        _ = try OpenCLLibrary.load()
        return true
      } catch {
        Device.printNote("OpenCL is not tested: \(error)")
      }
    #endif
    return false
  }()

  #if OpenCL
    private static func openCL(_ kernelClass: OpenCLDevice.KernelClass) throws -> any Session {
      var device = try OpenCLDevice.select(.best)
      device.kernelClass = kernelClass
      return BackendSession(try OpenCLBackend(device))
    }
  #endif

  static func reference() throws -> any Session { try sessions.session(nil) { try Device.reference.openSession() } }

  private static let sessions = SessionStore()
}

private final class SessionStore: @unchecked Sendable {
  private var opened: [TestBackend?: any Session] = [:]
  private let lock = NSLock()

  func session(_ key: TestBackend?, _ open: () throws -> any Session) throws -> any Session {
    lock.lock()
    defer { lock.unlock() }
    if let known = opened[key] { return known }
    let session = try open()
    opened[key] = session
    return session
  }
}

/// Everything that runs kernels, one test after the other.
@Suite(.serialized) struct BackendTests {}
