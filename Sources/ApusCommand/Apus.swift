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
      Train.self, Evaluate.self, Predict.self, Summary.self, Devices.self, Doctor.self, Benchmark.self,
      Profile.self, Tune.self,
    ])

  static func main() {
    // A reader that goes away, as in `apus train mnist | head`, must not end the training.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // Help, version and mistakes in the arguments are worded by the parser.
      guard exitCode(for: error) == .failure else { exit(withError: error) }
      writeToStandardError("apus: \(error)")
      exit(withError: ExitCode(ExitStatus(error).rawValue))
    }
  }
}
