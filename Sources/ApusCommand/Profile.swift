import Apus
import ApusCore
import ApusTraining
import ArgumentParser
import Foundation

/// `apus profile`
struct Profile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows where the time of a step goes, launch by launch.",
    discussion: """
      Prints a table of the kernels that a step starts: the median time of each, its share of all, the layer it works \
      for and the shape of its result. GFLOP/s count the multiplications and additions of convolutions and products; \
      GB/s count each operand and the result once. Both are rates of a whole operation: where it takes several \
      launches, they stand beside the longest. After the table: the time by kind of operation, and an ordinary step \
      beside the sum of its launches.

      --trace writes one step as a Chrome trace, which https://ui.perfetto.dev and chrome://tracing open.
      """)

  enum Order: String, CaseIterable, ExpressibleByArgument {
    case time, order
  }

  @OptionGroup var workload: WorkloadOptions

  @Option(help: ArgumentHelp("Steps to take medians of.", valueName: "n"))
  var steps = 20

  @Option(help: "Longest first, or in the order of the step.")
  var sort = Order.time

  @Option(help: ArgumentHelp("Launches to list (default: all).", valueName: "n"))
  var top: Int?

  @Option(help: ArgumentHelp("Write the step of median time as a Chrome trace.", valueName: "file"))
  var trace: String?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    try requireCount(steps, "--steps")
    if let top { try requireCount(top, "--top") }
  }

  func run() throws {
    let (trainer, runner) = try workload.prepare()
    try warmUp(runner)
    let (profiles, stepSeconds) = try measure(runner)
    var report = ProfileReport(profiles, stepSeconds: stepSeconds)
    report.title =
      "\(workload.model.name), batch \(workload.batchSize), \(workload.mode), on \(trainer.device.identifier)"
    if let trace {
      let byTime = profiles.sorted { $0.duration < $1.duration }
      try ChromeTrace(byTime[byTime.count / 2], title: report.title).write(to: trace)
    }
    if sort == .time { report.launches.sort { $0.seconds > $1.seconds } }
    if json { return try printJSON(report) }
    report.printTables(top: top ?? report.launches.count)
  }

  /// Profiled steps, and between them the time of ordinary ones, so that both see the machine at the same speed.
  private func measure(_ runner: any BenchmarkSteps) throws -> (profiles: [RunProfile], stepSeconds: Double) {
    func seconds(_ count: Int) throws -> Double {
      let start = ContinuousClock.now
      for _ in 0..<count { try runner.start() }
      try runner.wait()
      return (ContinuousClock.now - start) / .seconds(1) / Double(count)
    }
    // Enough steps that waiting for the last does not count.
    let stepsPerMeasurement = try max(1, Int(0.02 / seconds(1)))
    _ = try runner.profile()
    var profiles: [RunProfile] = []
    var stepSeconds: [Double] = []
    for _ in 0..<steps {
      profiles.append(try runner.profile())
      stepSeconds.append(try seconds(stepsPerMeasurement))
    }
    return (profiles, stepSeconds.median)
  }
}
