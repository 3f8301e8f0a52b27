package import ApusCore
package import ApusData
import ApusNN

extension Trainer {
  /// Steps of training or inference on pictures that stay on the device where they fit, with nothing around them: what
  /// a benchmark measures. They are compiled at every call.
  package func steps(on data: Dataset, batchSize: Int, trains: Bool) throws -> any BenchmarkSteps {
    try requirePositive(batchSize, "batchSize")
    guard batchSize <= data.count else {
      throw TrainingError(
        .invalidArgument, at: "batchSize", "\(batchSize) is more than the \(data.count) pictures of \(data.name)")
    }
    let placed = try place(data.images, data.labels, name: data.name)
    if trains {
      let plan = try newPlan(placed, batchSize: batchSize, trains: true)
      return TrainingSteps(trainer: self, plan: plan, data: placed, batchSize: batchSize)
    }
    return try InferenceSteps(trainer: self, data: placed, batchSize: batchSize)
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
  private let feed: any BatchFeed
  private let stepsPerPass: Int
  private var done = 0

  init(trainer: Trainer, plan: BatchPlan, data: any TrainingData, batchSize: Int) {
    self.trainer = trainer
    self.plan = plan
    let batches = Batches(count: data.count / batchSize * batchSize, size: batchSize)
    feed = data.feed((0..<Int32(batches.count)).map { $0 }, batches)
    stepsPerPass = batches.steps
  }

  var launchCount: Int { plan.executable.launchCount }

  func start() throws {
    prepareNext()
    try plan.run(feed, randomState: (trainer.seed, trainer.step), optimizer: trainer.optimizer)
  }

  func profile() throws -> RunProfile {
    prepareNext()
    return try plan.profile(feed, randomState: (trainer.seed, trainer.step), optimizer: trainer.optimizer)
  }

  /// Counts a step; after the last batch comes the first.
  private func prepareNext() {
    if done == stepsPerPass {
      feed.restart()
      done = 0
    }
    done += 1
    trainer.step += 1
  }

  func wait() throws { _ = try plan.totals.read() }
}

/// The forward pass of one batch, again and again.
private final class InferenceSteps: BenchmarkSteps {
  private let executable: any Executable

  init(trainer: Trainer, data: any TrainingData, batchSize: Int) throws {
    let graph = Graph(seed: trainer.seed)
    let (output, fed) = try graph.trace { graph in
      let batch = data.batch(of: batchSize, in: graph)
      return (trainer.model(batch.inputs.scaledPixels(trainer.pixelScale)), batch.fed)
    }
    executable = try trainer.session.compile(graph, outputs: [output], options: trainer.options)
    let first = data.feed((0..<Int32(batchSize)).map { $0 }, Batches(count: batchSize, size: batchSize))
    try first.setNext(fed.map(graph.position), of: executable)
  }

  var launchCount: Int { executable.launchCount }
  func start() throws { try executable.run() }
  func profile() throws -> RunProfile { try executable.profile() }
  func wait() throws { _ = try executable.output(0) }
}
