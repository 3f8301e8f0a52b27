import ApusCore
import ArgumentParser
import Foundation

/// The command-line program.
@main
struct Apus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Trains convolutional networks on any OpenCL device and on the CPU.",
    discussion: """
      Exit codes: 0 done, 64 usage, 65 bad data, 66 no such file, 69 device unavailable, 70 internal error, 74 input \
      or output failed, 130 interrupted.
      """,
    version: "0.1.0",
    subcommands: [
      Train.self, Evaluate.self, Predict.self, DataCommand.self, AugmentCommand.self, Summary.self, Devices.self,
      Doctor.self, Benchmark.self, Profile.self, Tune.self,
    ])

  static func main() {
    // A reader that goes away, as in `apus train mnist | head`, must not end the training.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot(arguments)
      CallWatch.begin(limit: try deviceTimeout(), status: ExitStatus.unavailable.rawValue)
      if isatty(STDERR_FILENO) == 1 {
        ProgressLine.begin(on: .init { writeToStandardError($0, terminator: "") })
      }
      try command.run()
    } catch {
      // Help, version and mistakes in the arguments are worded by the parser.
      guard exitCode(for: error) == .failure else { exit(withError: error) }
      reportError(error)
      exit(withError: ExitCode(ExitStatus(error).rawValue))
    }
  }

  /// How long a driver may take to answer: `APUS_DEVICE_TIMEOUT`, or the default.
  private static func deviceTimeout() throws -> Double {
    guard let text = ProcessInfo.processInfo.environment["APUS_DEVICE_TIMEOUT"], !text.isEmpty else {
      return CallWatch.defaultLimit
    }
    guard let limit = CallWatch.limit(parsing: text) else {
      throw CommandError(
        .usage, "APUS_DEVICE_TIMEOUT must be a number of seconds from 0.1 to 86400 such as 30, not '\(text)'")
    }
    return limit
  }

  /// The arguments without the program's name, as file names are: bytes, of which Swift's own strings lose some.
  private static var arguments: [String] {
    UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).dropFirst().compactMap { text in
      text.map { FilePath.string(system: UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }
}
