import Apus
import Benchmark

/// Registers the first training step of tutorial-mnist in a new process: finding and opening the device, making the
/// network, compiling and running. Kernels that the device's driver has kept from earlier runs are not built again.
func registerStartUp(on device: Device) {
  let programStart = ContinuousClock.now
  Benchmark(
    "first step tutorial-mnist \(device)",
    configuration: .init(metrics: [.firstStep], warmupIterations: 0, maxIterations: 1)
  ) { benchmark in
    let step = Step(model: "tutorial-mnist", trains: true)
    guard let steps = try unlessMissing(device, { try step.prepare(on: device) }) else { return }
    try steps.start()
    try steps.wait()
    let milliseconds = (ContinuousClock.now - programStart) / .milliseconds(1)
    benchmark.measurement(.firstStep, Int(milliseconds.rounded()))
  }
}
