import Apus

/// How the program ends: the numbers of BSD's sysexits, and 128 + SIGINT.
enum ExitStatus: Int32 {
  case usage = 64
  case badData = 65
  case noInput = 66
  case unavailable = 69
  case software = 70
  case inputOutput = 74
  case interrupted = 130

  /// The status that tells a script what kind of error it was.
  init(_ error: any Error) {
    self =
      switch error {
      case let error as CommandError: error.status
      case let error as FileError: error.isNotFound ? .noInput : .inputOutput
      case let error as DataError:
        switch error.kind {
        case .invalidArgument: .usage
        case .notFound: .noInput
        case .malformed: .badData
        case .missingLibrary: .unavailable
        }
      case let error as TrainingError:
        switch error.code {
        case .invalidArgument: .usage
        case .badData, .badFile, .nonFiniteLoss: .badData
        }
      case is SafetensorsError, is GraphError: .badData
      case is HostMemoryError: .unavailable
      case let error as BackendError:
        switch error.code {
        case .deviceUnavailable, .outOfMemory, .unsupported: .unavailable
        case .buildFailure, .deviceLost, .driver: .software
        }
      default: .software
      }
  }
}

/// An error that the program itself finds: what, where and what to do, and the status to end with.
struct CommandError: Error, CustomStringConvertible {
  let status: ExitStatus
  let description: String

  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
