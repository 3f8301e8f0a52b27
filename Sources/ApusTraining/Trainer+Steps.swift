package import ApusCore
package import ApusData
import ApusNN

extension Trainer {
  /// Steps of training or inference on pictures that stay on the device, with nothing around them: what a benchmark
  /// measures.
  package func steps(on data: Dataset, batchSize: Int, trains: Bool) throws -> any BenchmarkSteps {
    try requirePositive(batchSize, "batchSize")
    guard batchSize <= data.count else {
      throw TrainingError(
        .invalidArgument, at: "batchSize", "\(batchSize) is more than the \(data.count) pictures of \(data.name)")
    }
    let resident = try resident(data.images, data.labels, name: data.name)
    if trains {
      let plan = try plan(resident, batchSize: batchSize, trains: true)
      return TrainingSteps(trainer: self, plan: plan, batchSize: batchSize, sampleCount: data.count)
    }
    return try InferenceSteps(trainer: self, data: resident, batchSize: batchSize)
  }
}

/// Steps that are started one by one.
package protocol BenchmarkSteps {
  /// Kernels that one step starts.
  var launchCount: Int { get }
  /// Starts one step; may return before it ends.
  func start() throws
  /// Runs one step, waits for it, and tells the time of each launch.
  func profile() throws -> RunProfile
  /// Waits for all steps that were started.
  func wait() throws
}

/// Batches of neighbouring pictures, again and again: the optimizer's update, loss and metrics as in `fit`.
private final class TrainingSteps: BenchmarkSteps {
  private let trainer: Trainer
  private let plan: BatchPlan
  private let batchSize: Int
  private let order: [Int32]
  private var first = 0

  init(trainer: Trainer, plan: BatchPlan, batchSize: Int, sampleCount: Int) {
    self.trainer = trainer
    self.plan = plan
    self.batchSize = batchSize
    order = (0..<Int32(sampleCount)).map { $0 }
  }

  var launchCount: Int { plan.executable.launchCount }

  func start() throws { try next(plan.run) }
  func profile() throws -> RunProfile { try next(plan.profile) }

  private func next<R>(
    _ run: (ArraySlice<Int32>, (seed: UInt64, step: Int), [Double]) throws -> R
  ) throws -> R {
    trainer.step += 1
    let result = try run(
      order[first..<(first + batchSize)], (trainer.seed, trainer.step), trainer.optimizer.values(step: trainer.step))
    first += batchSize
    if first + batchSize > order.count { first = 0 }
    return result
  }

  func wait() throws { _ = try plan.totals.read() }
}

/// The forward pass of one batch, again and again.
private final class InferenceSteps: BenchmarkSteps {
  private let executable: any Executable

  init(trainer: Trainer, data: ResidentData, batchSize: Int) throws {
    let graph = Graph(seed: trainer.seed)
    let output = try graph.trace { graph in
      let indices = graph.input("indices", shape: [batchSize], dtype: .int32)
      return trainer.model(gather(graph.parameter(data.inputs), indices).scaledPixels(trainer.pixelScale))
    }
    executable = try trainer.session.compile(graph, outputs: [output], options: trainer.options)
    try executable.setInput(0, NDArray((0..<Int32(batchSize)).map { $0 }, shape: [batchSize]))
  }

  var launchCount: Int { executable.launchCount }
  func start() throws { try executable.run() }
  func profile() throws -> RunProfile { try executable.profile() }
  func wait() throws { _ = try executable.output(0) }
}
