import Apus
import ArgumentParser
import CBenchmark
import Foundation

@main
struct Cliffs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cliffs",
    abstract: "Measures operations of odd shapes beside their round neighbours and prints a Markdown table.")

  @Option(help: "cpu, opencl, opencl:N; may be repeated.", transform: { try Device(parsing: $0) })
  var device: [Device] = [.cpu, .openCL(.best)]

  @Option(help: "Only the shapes whose line contains this.")
  var filter: String?

  @Flag(help: "Only the shapes with a pass that falls short of its neighbour by more than 15 %.")
  var short = false

  /// What an odd shape may lose.
  private static let limit = 0.85

  func run() throws {
    print("# Odd shapes beside round ones\n")
    let day = ISO8601DateFormatter.string(from: .now, timeZone: .gmt, formatOptions: .withFullDate)
    let arguments = CommandLine.arguments.dropFirst().map { " \($0)" }.joined()
    print("Measured \(day) with `swift run --package-path Benchmarks -c release cliffs\(arguments)`.")
    print(
      """

      A cell is the rate of the odd shape in GFLOP/s, a multiply-add counted as two operations whatever algorithm
      computes it, and in parentheses that rate over its neighbour's. Medians of runs in turns; under 0.85 is **bold**.
      """)
    for device in device { try printTable(device) }
  }

  private func printTable(_ device: Device) throws {
    let description = try device.openSession().device
    print("\n## `\(description.identifier)`: \(description.name), \(description.driver)\n")
    if description.kind == .cpu {
      let peak = apus_fma_peak_gflops(Int32(description.computeUnits))
      print("Fused multiply-adds on \(description.computeUnits) threads: \(Int(peak)) GFLOP/s.\n")
    }
    print("| shape | neighbour | forward | input gradient | filter gradient |\n| --- | --- | ---: | ---: | ---: |")
    var (within, all) = (0, 0)
    for cliff in Cliff.all {
      if let filter, !"\(cliff.name) | \(cliff.neighbour)".contains(filter) { continue }
      let cells = try zip(cliff.odd, cliff.round).map { try Comparison($0, $1, on: device) }
      let falls = cells.map { $0.ratio < Self.limit }
      all += cells.count
      within += falls.count { !$0 }
      if short, !falls.contains(true) { continue }
      let texts = zip(cells, falls).map { cell, falls in
        let ratio = cell.ratio.formatted(.number.precision(.fractionLength(2)))
        return "\(Int(cell.gflops.rounded())) (\(falls ? "**\(ratio)**" : ratio))"
      }
      print("| \(cliff.name) | \(cliff.neighbour) | \(texts.joined(separator: " | ")) |")
    }
    print("\nWithin \(Int(((1 - Self.limit) * 100).rounded())) % or faster: \(within) of \(all).")
  }
}
