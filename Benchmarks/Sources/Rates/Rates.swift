import Apus
import ApusBenchmark
import ArgumentParser
import Foundation

@main
struct Rates: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rates",
    abstract: "Measures the convolutions and products of CNNs on a device.",
    discussion: """
      A line of JSON each, as soon as it is known. Ends with 70 when an operation failed; its line tells the error, and \
      the others are measured.
      """)

  @Option(help: "cpu, opencl, opencl:N, ...", transform: { try Device(parsing: $0) })
  var device = Device.openCL(.best)

  @Option(help: "Pictures of a convolution.")
  var batchSize = 64

  @Option(help: "Time for each operation; 0 builds its kernels and runs it once.")
  var seconds = 0.2

  @Option(help: ArgumentHelp("Only operations of at most so many GFLOP.", valueName: "number"))
  var most = Double.infinity

  @Flag(help: "Print the operations' names only.")
  var list = false

  func run() throws {
    let operations = OperationBenchmark.ofNetworks(batchSize: batchSize).filter { $0.operations <= most * 1e9 }
    if list { return operations.forEach { print($0.name) } }
    var failed = false
    for operation in operations {
      do {
        try show(Rate(operation, on: device, seconds: seconds))
      } catch {
        failed = true
        try show(["operation": operation.name, "error": "\(error)"])
      }
    }
    if failed { throw ExitCode(70) }
  }

  /// At once: what is known must not be lost with a process that a driver ends.
  private func show(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
  }
}
