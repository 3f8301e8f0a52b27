package import ApusCore
package import ApusData
import ApusNN

extension Trainer {
  /// Steps of training or inference on pictures that stay on the device where they fit, with nothing around them: what
  /// a benchmark measures. They are compiled at every call.
  package func steps(
    on data: ImageDataset, batchSize: Int, trains: Bool, augmentation: [any Augmentation] = []
  ) throws -> any BenchmarkSteps {
    try requirePositive(batchSize, "batchSize")
    guard batchSize <= data.count else {
      throw TrainingError(
        .invalidArgument, at: "batchSize", "\(batchSize) is more than the \(data.count) pictures of \(data.name)")
    }
    let placed = try place(data)
    let plan = try plan(augmentation, for: placed)
    let purpose: StepKey.Purpose = trains ? .training : .prediction(placed.source.inputs.map(\.dtype))
    let step = try newStep(
      stages(purpose, placed, batchSize: batchSize, plan?.layout), trains: trains, batchSize: batchSize)
    return trains
      ? TrainingSteps(trainer: self, step: step, data: placed, batchSize: batchSize, plan)
      : try InferenceSteps(step: step, data: placed, batchSize: batchSize)
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
  private let step: Step
  private let feed: any BatchFeed
  private let stepsPerPass: Int
  private var done = 0

  init(trainer: Trainer, step: Step, data: any TrainingData, batchSize: Int, _ plan: AugmentationPlan?) {
    self.trainer = trainer
    self.step = step
    let batches = Batches(count: data.count / batchSize * batchSize, size: batchSize)
    let order = (0..<Int32(batches.count)).map { $0 }
    let feed = data.feed(order, batches)
    self.feed = plan.map { AugmentedFeed(feed, $0, order, batches, epoch: 1, seed: trainer.seed) } ?? feed
    stepsPerPass = batches.steps
  }

  var launchCount: Int { step.executable.launchCount }

  func start() throws {
    try prepareNext()
    try step.run()
  }

  func profile() throws -> RunProfile {
    try prepareNext()
    return try step.profile()
  }

  /// Counts a step; after the last batch comes the first.
  private func prepareNext() throws {
    if done == stepsPerPass {
      feed.restart()
      done = 0
    }
    done += 1
    trainer.step += 1
    try step.setBatch(feed)
    try step.prepare(seed: trainer.seed, step: trainer.step, trainer.optimization)
  }

  func wait() throws { _ = try step.totals!.read() }
}

/// The forward pass of one batch, again and again.
private final class InferenceSteps: BenchmarkSteps {
  private let executable: any Executable

  init(step: Step, data: any TrainingData, batchSize: Int) throws {
    executable = step.executable
    try step.setBatch(data.feed((0..<Int32(batchSize)).map { $0 }, Batches(count: batchSize, size: batchSize)))
  }

  var launchCount: Int { executable.launchCount }
  func start() throws { try executable.run() }
  func profile() throws -> RunProfile { try executable.profile() }
  func wait() throws { _ = try executable.output(0) }
}
