public import ApusCore
public import ApusDevices
public import ApusNN

/// One training step written as a closure, for loops of your own.
///
/// The closure is traced once: it declares inputs and returns the loss; gradients and the optimizer's update follow
/// from it. Calling the step then only sets the inputs and runs.
///
/// ```swift
/// let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), device: .cpu) { graph in
///   let x = graph.input("x", shape: [64, 28, 28, 1])
///   let labels = graph.input("labels", shape: [64], dtype: .int32)
///   return softmaxCrossEntropy(model(x), labels: labels)
/// }
/// for batch in batches { try step(batch.images, batch.labels) }
/// print(try step.loss())
/// ```
public final class TrainStep {
  /// Where the step runs. Plans for evaluation may be compiled in it once the step is made.
  public let session: any Session
  public private(set) var optimizer: any Optimizer
  /// Number of steps so far.
  public private(set) var count = 0
  /// The inputs that the closure declared, in order: what a call takes.
  public let inputs: [(name: String, type: TensorType)]
  public let executable: any Executable
  private let seed: UInt64
  private let modelParameters: [Parameter]
  private let freezing: Freezing
  private let inputIndices: [Int]
  private let valueIndices: [Int]
  private let randomState: Int?
  private var stepValues: [Double] = []
  private var sentValues: [Double] = []

  /// - Parameters:
  ///   - model: what is trained: all its trainable parameters.
  ///   - seed: of initial weights and random numbers.
  ///   - options: how the step is compiled; `.checked` names the first node that makes a NaN or infinity.
  ///   - loss: declares inputs and returns the loss, a scalar or one number a sample, of which the mean is taken.
  /// - Throws: `GraphError` for a mistake in the closure or a layer that it never calls, `BackendError` from the
  ///   device.
  public convenience init(
    _ model: some Layer, optimizer: any Optimizer, device: Device = .automatic, seed: UInt64 = 0,
    options: CompileOptions = CompileOptions(), loss: (Graph) throws -> Tensor
  ) throws {
    try self.init(
      model, optimizer: optimizer, session: device.openSession(), seed: seed, options: options, loss: loss)
  }

  /// A step on a session that is already open.
  public init(
    _ model: some Layer, optimizer: any Optimizer, session: any Session, seed: UInt64 = 0,
    options: CompileOptions = CompileOptions(), loss: (Graph) throws -> Tensor
  ) throws {
    let parameters = ModelWalk(model, settlesNames: true).parameters
    let graph = Graph(mode: .training, seed: seed)
    let loss = try graph.trace(loss)
    if let unused = parameters.first(where: { !$0.isInitialized }) {
      throw GraphError(label: unused.name, message: "has no shape: the step never calls the layer that holds it")
    }
    let arena = try ParameterArena(parameters, optimizer: optimizer, session: session)
    let count = loss.shape.elementCount
    guard count > 0 else { throw GraphError(label: "loss", message: "has no element: \(loss.shape.shapeDescription)") }
    let values = try graph.trace { arena.appendUpdate(to: $0, loss: loss, scale: 1 / Double(count)) }
    executable = try session.compile(graph, outputs: [count == 1 ? loss : reduceMean(loss)], options: options)
    randomState = graph.randomStatePosition
    valueIndices = values.map(graph.position)
    let signature = graph.inputs.map(\.id)
    inputIndices = graph.declaredInputs.map { signature.firstIndex(of: $0.id)! }
    let all = executable.inputs
    inputs = inputIndices.map { all[$0] }
    modelParameters = parameters
    freezing = Freezing(parameters)
    self.session = session
    self.optimizer = optimizer
    self.seed = seed
  }

  deinit { try? storeOnHost(modelParameters, from: session) }

  /// May be changed between steps; nothing is compiled again.
  public var learningRate: Double {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }

  /// Runs one step; may return before the device is done.
  ///
  /// - Parameter values: the inputs in the order of their declaration.
  public func callAsFunction(_ values: NDArray...) throws {
    guard values.count == inputs.count else {
      throw TrainingError(
        .invalidArgument, at: "step", "\(values.count) inputs; it takes \(inputs.map(\.name).joined(separator: ", "))")
    }
    try freezing.requireUnchanged(in: modelParameters, by: "the step was traced; make a new step")
    for (index, value) in zip(inputIndices, values) { try executable.setInput(index, value) }
    stepValues.removeAll(keepingCapacity: true)
    optimizer.appendValues(step: count + 1, to: &stepValues)
    if stepValues != sentValues {
      for (index, number) in zip(valueIndices, stepValues) {
        try executable.setInput(index, CollectionOfOne(Float(number)).span)
      }
      swap(&stepValues, &sentValues)
    }
    if let randomState { try executable.setRandomState(randomState, seed: seed, step: count + 1) }
    try executable.run()
    count += 1
  }

  /// The loss of the last step; waits for the device.
  public func loss() throws -> Double { try executable.output(0).item }

  /// Copies the current weights from the device into the model's parameters, so that they outlive the step.
  public func synchronize() throws { try storeOnHost(modelParameters, from: session) }
}
