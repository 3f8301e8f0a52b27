import Apus
import ApusCore
import ApusDevices
import ApusTraining
import ArgumentParser
import Foundation

/// `apus tune`
struct Tune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finds the fastest schedules of a network's convolutions and products on a device.",
    discussion: """
      Each convolution and product of a step has a few schedules: sizes of tiles, parts of a sum, Winograd or direct. \
      Their results are compared with those of the processor; what is wrong is reported and never used. The rest is \
      timed inside the step, in turns with the device's default; one that is 3 % faster replaces it. Winners are kept \
      in the folder of built kernels, by device, driver and kernel sources; all other commands use them and never wait \
      for a tuning. The environment variable APUS_TUNING=off runs a command without them.

      It takes from half a minute to some minutes. Winners belong to exact shapes: tune the network, the batch size and \
      the mode that you run.
      """)

  @OptionGroup var workload: WorkloadOptions

  @Flag(help: "Print one line of JSON.")
  var json = false

  func run() throws {
    let (trainer, makeSteps) = try workload.open()
    let device = trainer.device.identifier
    guard let session = trainer.session as? any TunableSession else {
      throw CommandError(
        .usage,
        "\(device) has nothing to tune")
    }
    guard let place = try session.tunable.tuningPlace() else {
      throw CommandError(
        .usage, "APUS_KERNEL_CACHE=off leaves no folder to keep what is found in; unset it, or let it name a folder")
    }
    guard FilePath.canCreateFiles(in: FilePath.split(place.path).folder) else {
      throw CommandError(.inputOutput, "\(place.path): cannot be written; let APUS_KERNEL_CACHE name another folder")
    }
    let tuner = Tuner(session, reference: try Self.reference(for: device)) { writeToStandardError("\($0)") }
    let findings = try tuner.run { try makeSteps().profile }
    try TuningFile.merge(session.tunable.schedules, problems: findings.map(\.problem), at: place)
    let report = TuneReport(findings, device: device, path: place.path)
    if json { return try printJSON(report) }
    report.printTable(
      title: "\(workload.model.name), batch \(workload.batchSize), \(workload.mode), on \(device)")
  }

  /// A device that shares no kernel with the one that is tuned: the processor for OpenCL, OpenCL for the processor;
  /// without one the plain implementation.
  private static func reference(for device: String) throws -> any Session {
    do {
      return try (device == "cpu" ? Device.openCL : Device.cpu).openSession()
    } catch {
      writeToStandardError("note: results are compared with the plain implementation, which takes long: \(error)")
      return try Device.reference.openSession()
    }
  }
}

/// What `apus tune` prints.
struct TuneReport: Encodable {
  struct Problem: Encodable {
    var problem: String
    var count: Int
    /// Names of schedules; no winner where the default stays.
    var `default`: String
    var winner: String?
    /// With the default, of all operations that are this problem.
    var seconds: Double
    var gflops: Double
    /// Of the winner's speed over that of the default; 1 where that stays.
    var speedup: Double
    var rejected: [String]
  }

  var device: String
  var file: String
  var problems: [Problem]
  /// Of all problems in a step, before and after.
  var seconds: Double
  var tunedSeconds: Double

  init(_ findings: [Tuner.Finding], device: String, path: String) {
    self.device = device
    file = path
    problems = findings.map { finding in
      Problem(
        problem: finding.problem, count: finding.count, default: finding.usual, winner: finding.winner?.schedule,
        seconds: finding.usualDuration, gflops: finding.floatingPointOperations / finding.usualDuration * 1e-9,
        speedup: 1 / (finding.winner?.ratio ?? 1), rejected: finding.rejected.map { "\($0.schedule): \($0.reason)" })
    }
    seconds = findings.reduce(0) { $0 + $1.usualDuration }
    tunedSeconds = seconds - findings.reduce(0) { $0 + $1.saving }
  }

  func printTable(title: String) {
    print("\(title)\n")
    var rows = [["  TIME ms", "GFLOP/s", "  GAIN", "OPERATION", "DEFAULT", "WINNER"]]
    for problem in problems.sorted(by: { $0.seconds > $1.seconds }) {
      rows.append([
        String(format: "%9.3f", 1e3 * problem.seconds), String(format: "%7.1f", problem.gflops),
        problem.winner == nil ? "" : String(format: "%4.1f %%", 100 * (problem.speedup - 1)),
        problem.problem + (problem.count == 1 ? "" : " (\(problem.count) times)"), problem.default,
        problem.winner ?? "-",
      ])
    }
    ApusCommand.printTable(rows)
    for problem in problems {
      for reason in problem.rejected { print("\nrejected for \(problem.problem): \(reason)") }
    }
    print(
      String(
        format: "\n%9.3f ms a step in these operations, %.3f ms with the winners, which are kept in\n", 1e3 * seconds,
        1e3 * tunedSeconds) + file)
  }
}
