public import ApusCore
public import ApusData
import ApusNN

/// What a model is checked on after each epoch.
public enum Validation: Sendable {
  case none
  /// The last part of the training data, cut off before any shuffling; 0.1 is a tenth.
  case split(Double)
  case data(any Dataset)
  /// An array for each input, and for each output its targets.
  case arrays(inputs: [NDArray], targets: [NDArray])

  /// Arrays for a model with one input and one output.
  public static func arrays(inputs: NDArray, targets: NDArray) -> Validation {
    .arrays(inputs: [inputs], targets: [targets])
  }
}

/// `validation: 0.1` is `.split(0.1)`.
extension Validation: ExpressibleByFloatLiteral {
  public init(floatLiteral value: Double) { self = .split(value) }
}

extension Trainer {
  /// Trains on data: labelled pictures, or whatever is a `Dataset`.
  ///
  /// - Parameters:
  ///   - epochs: how many more; a second call goes on where the first ended.
  ///   - batchSize: samples a step; the last, smaller batch of an epoch counts, too.
  ///   - validation: checked after each epoch.
  ///   - shuffle: a new order each epoch, derived from the seed.
  ///   - augmentation: what is done to pictures in training, one after another; not in validation.
  ///   - progress: what is printed; a bar on a terminal and a line an epoch elsewhere.
  ///   - callbacks: told of each event.
  /// - Returns: all epochs of this trainer so far.
  /// - Throws: `TrainingError` for bad data or a loss that is not finite, `GraphError` for a model that does not fit
  ///   the data, `BackendError` from the device; out of memory comes with a batch size that would fit, and the trainer
  ///   stays usable.
  @discardableResult
  public func fit(
    _ data: some Dataset, epochs: Int = 1, batchSize: Int = 32, validation: Validation = .none, shuffle: Bool = true,
    augmentation: [any Augmentation] = [], progress: ProgressBar.Style = .automatic, callbacks: [any Callback] = []
  ) throws -> History {
    try fit(epochs, batchSize, validation, shuffle, augmentation, progress, callbacks) { try place(data) }
  }

  /// Trains on arrays: for each of the model's inputs `[N, ...]` of float32 or uint8, for each of its outputs targets
  /// `[N, ...]` as the loss asks for; see `fit` above.
  @discardableResult
  public func fit(
    inputs: [NDArray], targets: [NDArray], epochs: Int = 1, batchSize: Int = 32, validation: Validation = .none,
    shuffle: Bool = true, augmentation: [any Augmentation] = [], progress: ProgressBar.Style = .automatic,
    callbacks: [any Callback] = []
  ) throws -> History {
    try fit(epochs, batchSize, validation, shuffle, augmentation, progress, callbacks) {
      try place(inputs, targets, name: "inputs")
    }
  }

  /// Trains a model with one input and one output on arrays.
  @discardableResult
  public func fit(
    inputs: NDArray, targets: NDArray, epochs: Int = 1, batchSize: Int = 32, validation: Validation = .none,
    shuffle: Bool = true, augmentation: [any Augmentation] = [], progress: ProgressBar.Style = .automatic,
    callbacks: [any Callback] = []
  ) throws -> History {
    try fit(
      inputs: [inputs], targets: [targets], epochs: epochs, batchSize: batchSize, validation: validation,
      shuffle: shuffle, augmentation: augmentation, progress: progress, callbacks: callbacks)
  }

  private func fit(
    _ epochs: Int, _ batchSize: Int, _ validation: Validation, _ shuffle: Bool,
    _ augmentation: [any Augmentation], _ progress: ProgressBar.Style, _ callbacks: [any Callback],
    _ place: () throws -> any TrainingData
  ) throws -> History {
    guard !isFitting else {
      throw TrainingError(
        .invalidArgument, at: "fit",
        "it was called inside the fit that is under way, by a callback; a callback may evaluate, predict and change "
          + "the learning rate, and `fit` can be called again after it has ended")
    }
    try requirePositive(epochs, "epochs")
    try requirePositive(batchSize, "batchSize")
    let data = try place()
    let plan = try plan(augmentation, for: data)
    // From here on the parameters that are trained stay the same.
    isFitting = true
    defer { isFitting = false }
    var order = (0..<Int32(data.count)).map { $0 }
    let checked: (data: any TrainingData, indices: [Int32])?
    switch validation {
    case .none: checked = nil
    case .split(let fraction):
      let cut = try splitIndex(data.count, fraction, data.name)
      checked = (data, Array(order[cut...]))
      order.removeSubrange(cut...)
    case .data(let other): checked = try everything(self.place(other))
    case .arrays(let inputs, let targets):
      checked = try everything(self.place(inputs, targets, name: "validation inputs"))
    }
    // Compiled before any clock starts, so that a lack of memory shows before the first step.
    let batches = Batches(count: order.count, size: batchSize)
    for size in batches.sizes { _ = try step(.training, data, batchSize: size, plan?.layout) }
    if let checked {
      for size in Batches(count: checked.indices.count, size: batchSize).sizes {
        _ = try step(.evaluation, checked.data, batchSize: size)
      }
    }

    let listeners: [any Callback] = (ProgressBar(progress).map { [$0] } ?? []) + callbacks
    func tell(_ event: TrainingEvent) throws { for listener in listeners { try listener.handle(event, in: self) } }
    let first = history.epochs.count + 1
    // As many epochs as there are numbers for: `Int.max` means until something stops them.
    let last = first - 1 + min(epochs, Int.max - first)
    let schedule = TrainingEvent.Schedule(
      epochs: first...last, stepsPerEpoch: batches.steps, samples: order.count, batchSize: batchSize)
    wasStopped = false
    stopsAfterEpoch = false
    do {
      try tell(.trainingBegan(schedule))
      for epoch in schedule.epochs {
        try tell(.epochBegan(epoch))
        let indices = shuffle ? shuffled(order, epoch: epoch) : order
        let start = ContinuousClock.now
        var feed = data.feed(indices, batches)
        if let plan { feed = AugmentedFeed(feed, plan, indices, batches, epoch: epoch, seed: seed) }
        let steps = try batches.sizes.map { try step(.training, data, batchSize: $0, plan?.layout) }
        let result = try trainEpoch(epoch, steps, feed, batches) { try tell(.progress($0)) }
        let seconds = start.duration(to: .now).seconds
        if wasStopped { break }
        var record = History.Epoch(
          epoch: epoch, loss: result.loss, metrics: result.metrics, seconds: seconds,
          imagesPerSecond: Double(order.count) / max(seconds, 1e-9))
        if data.placement == .host { record.inputWaitSeconds = feed.waitedSeconds }
        if let checked {
          let validated = try evaluate(checked.data, checked.indices, batchSize, "validation, epoch \(epoch)")
          record.validationLoss = validated.loss
          record.validationMetrics = validated.metrics
        }
        history.epochs.append(record)
        try tell(.epochEnded(record))
        if stopsAfterEpoch { break }
      }
      try synchronize()
      try tell(.trainingEnded(wasStopped: wasStopped))
    } catch {
      // The weights as they are; the error at hand matters more than one of this.
      try? synchronize()
      if let error = error as? BackendError { throw error.advising(batchSize: batchSize) }
      throw error
    }
    return history
  }

  private func everything(_ data: any TrainingData) -> (any TrainingData, [Int32]) {
    (data, (0..<Int32(data.count)).map { $0 })
  }

  /// Steps over the batches of `feed`; ends early when `shouldStop` says so.
  private func trainEpoch(
    _ epoch: Int, _ steps: [Step], _ feed: any BatchFeed, _ batches: Batches,
    progress: (TrainingEvent.Progress) throws -> Void
  ) throws -> Evaluation {
    let totals = steps.map { $0.totals! }
    for sums in totals { try sums.reset() }
    let start = ContinuousClock.now
    var pace = ReadPace()
    var lastRead = step
    var result = Evaluation(loss: 0, metrics: [:])
    for batch in 0..<batches.steps {
      if shouldStop() {
        wasStopped = true
        break
      }
      let current = batches.pick(batch, from: steps)
      try current.setBatch(feed)
      try current.prepare(seed: seed, step: step + 1, optimization)
      try current.run()
      step += 1
      lastRun = current.executable
      guard step - lastRead >= pace.stepsToNextRead || batch + 1 == batches.steps else { continue }
      result = try mean(totals)
      try requirePossible(result.loss, at: "epoch \(epoch), steps \(lastRead + 1) to \(step)")
      lastRead = step
      let elapsed = start.duration(to: .now).seconds
      pace.noteRead(steps: batch + 1, seconds: elapsed)
      try progress(
        TrainingEvent.Progress(
          epoch: epoch, step: batch + 1, stepsPerEpoch: batches.steps, seconds: elapsed, result: result))
    }
    return result
  }

  /// Loss and metrics as means over all samples in `totals`.
  func mean(_ totals: [BatchTotals]) throws -> Evaluation {
    let labels = outputs.labels
    var sums = [Double](repeating: 0, count: labels.count)
    var samples = 0
    for total in totals {
      let (parts, count) = try total.read()
      for (i, part) in parts.enumerated() { sums[i] += part }
      samples += count
    }
    let means = sums.map { $0 / Double(max(samples, 1)) }
    return Evaluation(
      loss: means[0], metrics: Dictionary(uniqueKeysWithValues: zip(labels, means).dropFirst()))
  }

  func requirePositive(_ value: Int, _ name: String) throws {
    guard value >= 1 else {
      throw TrainingError(.invalidArgument, at: name, "it is \(value); it must be at least 1")
    }
  }

  /// Keras's rule: training takes the first `floor(count * (1 - fraction))` samples.
  private func splitIndex(_ count: Int, _ fraction: Double, _ name: String) throws -> Int {
    guard fraction > 0, fraction < 1 else {
      throw TrainingError(
        .invalidArgument, at: "validation", "a split of \(fraction); give a number between 0 and 1, such as 0.1")
    }
    let cut = Int((Double(count) * (1 - fraction)).rounded(.down))
    guard cut > 0, cut < count else {
      throw TrainingError(
        .invalidArgument, at: "validation",
        "a split of \(fraction) of the \(count) samples of '\(name)' leaves none for "
          + "\(cut == 0 ? "training" : "validation"); change it or use more samples")
    }
    return cut
  }

  /// Fisher and Yates's shuffle; depends on seed and epoch alone, so that a resumed run goes on as the first would.
  private func shuffled(_ order: [Int32], epoch: Int) -> [Int32] {
    var generator = PhiloxGenerator(seed: seed, stream: stableHash("shuffle") &+ UInt32(truncatingIfNeeded: epoch))
    var result = order
    for i in stride(from: result.count - 1, to: 0, by: -1) {
      let j = Int(generator.next().multipliedFullWidth(by: UInt64(i + 1)).high)
      result.swapAt(i, j)
    }
    return result
  }
}

/// When the loss is read: often enough to show progress and to keep the device's queue short, not so often as to wait.
///
/// Reading changes nothing on the device, so the clock has no influence on the numbers.
private struct ReadPace {
  private static let interval = 0.1
  private static let mostSteps = 256
  private(set) var stepsToNextRead = 1

  mutating func noteRead(steps: Int, seconds: Double) {
    let perStep = max(seconds / Double(steps), 1e-6)
    stepsToNextRead = min(max(Int(Self.interval / perStep), 1), Self.mostSteps)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
