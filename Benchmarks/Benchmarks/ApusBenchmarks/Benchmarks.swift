import Apus
import ApusBenchmark
import Benchmark

/// All benchmarks; a name ends in its device. Nothing is opened before a benchmark runs, each in a process of its own.
let benchmarks: @Sendable () -> Void = {
  for device in [Device.cpu, .openCL(.best)] {
    for operation in OperationBenchmark.all {
      registerRate(of: operation.name, unit: .runsPerSecond, on: device) {
        try OperationRuns(operation, on: device)
      }
    }
    for step in Step.all {
      registerRate(of: step.name, unit: .imagesPerSecond, unitsPerRun: step.batchSize, on: device) {
        try step.prepare(on: device)
      }
    }
    registerStartUp(on: device)
  }
}
