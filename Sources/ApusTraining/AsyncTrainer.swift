import ApusCore
public import ApusData
import Dispatch
import Synchronization

/// Owns a trainer and lets it work on a thread of its own: for programs of tasks and actors.
///
/// ```swift
/// let training = AsyncTrainer(try Trainer(net, loss: .sparseCategoricalCrossEntropy, device: .gpu))
/// for try await event in training.events(fitting: data, epochs: 3, validation: 0.1) {
///   if case .epochEnded(let epoch) = event { print(epoch.loss) }
/// }
/// let result = try await training.run { try $0.evaluate(test) }
/// ```
///
/// The trainer and its model are given away: the compiler sees to it that nothing else uses them. Calls are done one
/// after another. Other tasks go on meanwhile, on threads of theirs.
public actor AsyncTrainer {
  private let trainer: Trainer
  private let thread = SerialThread()

  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  public init(_ trainer: sending Trainer) { self.trainer = trainer }

  /// All epochs so far.
  public var history: History { trainer.history }

  /// Evaluates, predicts, saves: whatever is done with a trainer.
  public func run<Result: Sendable>(_ body: @Sendable (Trainer) throws -> Result) rethrows -> Result {
    try body(trainer)
  }

  /// Trains; see `Trainer.fit` for arguments and errors.
  ///
  /// Where the task is cancelled, training ends after the step at hand, and the history so far is returned.
  @discardableResult
  public func fit(
    _ data: some Dataset, epochs: Int = 1, batchSize: Int = 32, validation: Validation = .none, shuffle: Bool = true,
    progress: ProgressBar.Style = .none
  ) async throws -> History {
    let stop = StopFlag()
    return try await withTaskCancellationHandler {
      try train(data, epochs, batchSize, validation, shuffle, progress, stop, listener: nil)
    } onCancel: {
      stop.set()
    }
  }

  /// Trains and tells what happens, event by event; see `Trainer.fit` for arguments and errors.
  ///
  /// Training begins at once and does not wait for who listens. It ends after the step at hand where the loop over the
  /// events is left or its task is cancelled.
  public nonisolated func events(
    fitting data: some Dataset, epochs: Int = 1, batchSize: Int = 32, validation: Validation = .none,
    shuffle: Bool = true
  ) -> AsyncThrowingStream<TrainingEvent, any Error> {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: TrainingEvent.self)
    let stop = StopFlag()
    continuation.onTermination = { _ in stop.set() }
    Task {
      do {
        let listener = Listener { continuation.yield($0) }
        try await train(data, epochs, batchSize, validation, shuffle, .none, stop, listener: listener)
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    return stream
  }

  @discardableResult
  private func train(
    _ data: some Dataset, _ epochs: Int, _ batchSize: Int, _ validation: Validation, _ shuffle: Bool,
    _ progress: ProgressBar.Style, _ stop: StopFlag, listener: Listener?
  ) throws -> History {
    let asked = trainer.shouldStop
    trainer.shouldStop = { stop.isSet || asked() }
    defer { trainer.shouldStop = asked }
    return try trainer.fit(
      data, epochs: epochs, batchSize: batchSize, validation: validation, shuffle: shuffle, progress: progress,
      callbacks: listener.map { [$0] } ?? [])
  }
}

/// Passes events on.
private final class Listener: Callback, Sendable {
  private let send: @Sendable (TrainingEvent) -> Void

  init(_ send: @escaping @Sendable (TrainingEvent) -> Void) { self.send = send }

  func handle(_ event: TrainingEvent, in trainer: Trainer) { send(event) }
}

/// Set by whoever wants training to end.
private final class StopFlag: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}

/// Runs an actor's jobs one after another outside the threads that all tasks share: training would hold one for hours.
private final class SerialThread: SerialExecutor {
  private let queue = DispatchQueue(label: "apus.trainer")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedSerialExecutor()) }
  }
}
