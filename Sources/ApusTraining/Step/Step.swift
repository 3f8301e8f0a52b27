import ApusCore
import ApusOptimize

/// One step of training, evaluation or prediction for one batch size: stages append to a graph one after another, which
/// is compiled once and replayed.
final class Step {
  let executable: any Executable
  let totals: BatchTotals?
  /// Positions of the inputs that a batch is made of, in the data's order.
  private let batchInputs: [Int]
  /// Positions of the inputs that a user's closure declared, in order.
  let declaredInputs: [Int]
  private let randomState: Int?
  private let update: (arena: ParameterArena, values: [Int])?
  /// The optimizer's numbers of a step, and those that the device holds: equal ones are not sent again.
  private var stepValues: [Double] = []
  private var sentValues: [Double] = []

  /// - Parameter seed: of the initial values of parameters that are made while tracing.
  /// - Throws: `GraphError` for a mistake in a stage, `BackendError` from the device.
  init(
    _ stages: [any StepStage], mode: Graph.Mode, seed: UInt64, session: any Session, options: CompileOptions
  ) throws {
    let graph = Graph(mode: mode, seed: seed)
    var trace = StepTrace(graph: graph, session: session)
    for stage in stages { try graph.trace { _ in try stage.append(to: &trace) } }
    batchInputs = trace.fed.map(graph.position)
    declaredInputs = graph.declaredPositions
    totals = trace.totals
    update = trace.update.map { ($0.arena, $0.values.map(graph.position)) }
    randomState = graph.randomStatePosition
    executable = try session.compile(graph, outputs: trace.outputs, options: options)
  }

  /// Sets the inputs that a batch is made of to the next one of `feed`.
  func setBatch(_ feed: any BatchFeed) throws { try feed.setNext(batchInputs, of: executable) }

  /// Sets what differs from step to step.
  ///
  /// - Parameters:
  ///   - seed: from it and `step` random numbers derive.
  ///   - step: 1 for the first step of training.
  ///   - optimization: present in training.
  func prepare(seed: UInt64, step: Int, _ optimization: Optimization? = nil) throws {
    if let randomState { try executable.setRandomState(randomState, seed: seed, step: step) }
    guard let update, let optimization else { return }
    stepValues.removeAll(keepingCapacity: true)
    update.arena.appendValues(of: optimization, step: step, to: &stepValues)
    if stepValues == sentValues { return }
    for (input, value) in zip(update.values, stepValues) {
      try executable.setInput(input, CollectionOfOne(Float(value)).span)
    }
    swap(&stepValues, &sentValues)
  }

  /// Starts the step.
  func run() throws {
    try executable.run()
    totals?.countStep()
  }

  /// `run`, with the time of each launch.
  func profile() throws -> RunProfile {
    let profile = try executable.profile()
    totals?.countStep()
    return profile
  }
}

extension Executable {
  /// Sets the input `random_state`: int32 [seed, step].
  fileprivate func setRandomState(_ index: Int, seed: UInt64, step: Int) throws {
    let key = UInt32(truncatingIfNeeded: seed ^ (seed >> 32))
    let state: InlineArray<2, Int32> = [Int32(bitPattern: key), Int32(truncatingIfNeeded: step)]
    try setInput(index, state.span)
  }
}
