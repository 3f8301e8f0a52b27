public import ApusCore
public import ApusDevices
public import ApusNN
public import ApusOptimize

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
  public var optimizer: any Optimizer { optimization.optimizer }
  private var optimization: Optimization
  /// Number of steps so far.
  public private(set) var count = 0
  /// The inputs that the closure declared, in order: what a call takes.
  public let inputs: [(name: String, type: TensorType)]
  public var executable: any Executable { step.executable }
  private let seed: UInt64
  private let step: Step
  private let modelParameters: [Parameter]
  private let freezing: Freezing

  /// - Parameters:
  ///   - model: what is trained: all its trainable parameters.
  ///   - groups: of parameters, each with numbers of its own.
  ///   - transforms: of the gradients, one after another.
  ///   - seed: of initial weights and random numbers.
  ///   - options: how the step is compiled; `.checked` names the first node that makes a NaN or infinity.
  ///   - loss: declares inputs and returns the loss, a scalar or one number a sample, of which the mean is taken.
  /// - Throws: `GraphError` for a mistake in the closure or a layer that it never calls, `BackendError` from the
  ///   device.
  public convenience init(
    _ model: some Model, optimizer: any Optimizer, groups: [ParameterGroup] = [],
    transforms: [any GradientTransform] = [], device: Device = .automatic, seed: UInt64 = 0,
    options: CompileOptions = CompileOptions(), loss: (Graph) throws -> Tensor
  ) throws {
    try self.init(
      model, optimizer: optimizer, groups: groups, transforms: transforms, session: device.openSession(), seed: seed,
      options: options, loss: loss)
  }

  /// A step on a session that is already open.
  public init(
    _ model: some Model, optimizer: any Optimizer, groups: [ParameterGroup] = [],
    transforms: [any GradientTransform] = [], session: any Session, seed: UInt64 = 0,
    options: CompileOptions = CompileOptions(), loss: (Graph) throws -> Tensor
  ) throws {
    let walk = ModelWalk(model, settlesNames: true)
    let optimization = Optimization(optimizer, groups: groups, transforms: transforms)
    step = try withoutActuallyEscaping(loss) { loss in
      let update = UpdateStage {
        if let unused = walk.parameters.first(where: { !$0.isInitialized }) {
          throw GraphError(label: unused.name, message: "has no shape: the step never calls the layer that holds it")
        }
        return try ParameterArena(Array(zip(walk.paths, walk.parameters)), optimization, session: session)
      }
      return try Step(
        [ClosureStage(loss: loss), update, MeanLossStage()], mode: .training, seed: seed, session: session,
        options: options)
    }
    let all = step.executable.inputs
    inputs = step.declaredInputs.map { all[$0] }
    modelParameters = walk.parameters
    freezing = Freezing(walk.parameters)
    self.session = session
    self.optimization = optimization
    self.seed = seed
  }

  deinit { try? storeOnHost(modelParameters, from: session) }

  /// That of the next step. May be set between steps, to a constant then; nothing is compiled again.
  public var learningRate: Double {
    get { optimization.learningRate(at: count + 1) }
    set { optimization.optimizer.learningRate = Hyperparameter(newValue) }
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
    for (index, value) in zip(step.declaredInputs, values) { try executable.setInput(index, value) }
    try step.prepare(seed: seed, step: count + 1, optimization)
    try step.run()
    count += 1
  }

  /// The loss of the last step; waits for the device.
  public func loss() throws -> Double { try executable.output(0).item }

  /// Copies the current weights from the device into the model's parameters, so that they outlive the step.
  public func synchronize() throws { try storeOnHost(modelParameters, from: session) }
}

/// The user's closure, which makes the loss.
private struct ClosureStage: StepStage {
  let loss: (Graph) throws -> Tensor

  func append(to step: inout StepTrace) throws {
    let loss = try loss(step.graph)
    if let failure = step.graph.failure { throw failure }
    guard loss.shape.elementCount > 0 else {
      throw GraphError(label: "loss", message: "has no element: \(loss.shape.shapeDescription)")
    }
    step.loss = loss
  }
}

/// The mean of the loss, to be read.
private struct MeanLossStage: StepStage {
  func append(to step: inout StepTrace) {
    let loss = step.loss!
    step.outputs = [loss.shape.elementCount == 1 ? loss : reduceMean(loss)]
  }
}
