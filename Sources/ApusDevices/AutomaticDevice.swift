import ApusCPU
import ApusCore
import Foundation

#if OpenCL
  import ApusOpenCL
#endif

/// A device that the automatic choice may take.
struct Candidate {
  /// `opencl:0 (Radeon)`
  var name: String
  var open: () throws(BackendError) -> any Session
}

extension Device {
  /// The GPUs of this machine in the drivers' order; where OpenCL cannot be used at all, none, and a note of the reason.
  static func gpus(note: (String) -> Void) -> [Candidate] {
    #if OpenCL
      do {
        return try OpenCLDevice.all().filter { $0.description.kind == .gpu }.map { device in
          Candidate(name: "\(device.description.identifier) (\(device.description.name))") {
            () throws(BackendError) in BackendSession(try OpenCLBackend(device))
          }
        }
      } catch {
        note("no GPU is looked for: \(error)")
      }
    #endif
    return []
  }

  /// The first candidate that opens and passes its self-test; a note for each one that does not.
  static func firstThatPasses(_ candidates: [Candidate], note: (String) -> Void) -> (any Session)? {
    for candidate in candidates {
      do {
        let session = try candidate.open()
        let reference = BackendSession(CPUBackend(mode: .reference))
        let failures = SelfTest.run(on: session, against: reference).flatMap(\.failures)
        guard let first = failures.first else { return session }
        note(
          "\(candidate.name) is passed over: it fails \(failures.count) of its self-tests, first \(first); update its "
            + "driver (`apus doctor` shows all tests)")
      } catch {
        note("\(candidate.name) is passed over: \(error)")
      }
    }
    return nil
  }

  /// Writes `note: ` and the text to standard error.
  public static func printNote(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("note: \(text)\n".utf8))
  }
}
