import ApusCore
import ApusDevices
import ApusOptimize
import Testing

/// Optimizers against Keras and PyTorch: ten steps with given gradients.
@Suite struct OptimizerTests {
  @Test(arguments: Fixture.all(in: "optimizers"))
  func optimizerAgrees(_ fixture: Fixture) throws {
    let optimizer = try #require(Self.optimizer(fixture))
    // PyTorch adds epsilon after the bias correction, Keras and this before: the smallest gradients feel it.
    let tolerance = fixture.name == "optimizer.torch_adam" ? 1e-4 : 2e-6
    let steps = try run(optimizer, initial: fixture["initial"], gradients: fixture["gradients"])
    for (step, values) in steps.enumerated() {
      let expected = fixture["parameters"].rows(step..<(step + 1)).reshaped([7])
      expectEqual(values, expected, tolerance: tolerance, "step \(step + 1)")
    }
  }

  /// Parameters after each step on the loss `sum(p * g)`.
  private func run(_ optimizer: any Optimizer, initial: NDArray, gradients: NDArray) throws -> [NDArray] {
    let parameter = Parameter("p", value: initial)
    let session = try Device.reference.openSession()
    let optimization = Optimization(optimizer)
    let arena = try ParameterArena([("p", parameter)], optimization, session: session)
    let graph = Graph(mode: .training)
    try graph.trace { graph in
      let gradient = graph.input("gradient", shape: initial.shape)
      arena.appendUpdate(to: graph, loss: reduceSum(graph.parameter(parameter) * gradient))
    }
    let executable = try session.compile(graph)
    return try (0..<gradients.shape[0]).map { step in
      var values: [Double] = []
      arena.appendValues(of: optimization, step: step + 1, to: &values)
      _ = try executable(
        [gradients.rows(step..<(step + 1)).reshaped(initial.shape)] + values.map { NDArray(Float($0)) }, outputs: 0)
      return try parameter.value()
    }
  }

  private static func optimizer(_ f: Fixture) -> (any Optimizer)? {
    let rate = f.number("learning_rate")!
    switch f.op {
    case "sgd":
      return SGD(
        learningRate: rate, momentum: f.number("momentum") ?? 0, nesterov: f.flag("nesterov"),
        weightDecay: f.number("weight_decay") ?? 0)
    case "adam":
      return Adam(
        learningRate: rate, beta1: f.number("beta_1")!, beta2: f.number("beta_2")!, epsilon: f.number("epsilon")!)
    case "adamw":
      return AdamW(
        learningRate: rate, weightDecay: f.number("weight_decay")!, beta1: f.number("beta_1")!,
        beta2: f.number("beta_2")!, epsilon: f.number("epsilon")!)
    case "rmsprop":
      return RMSprop(
        learningRate: rate, rho: f.number("rho")!, momentum: f.number("momentum")!, epsilon: f.number("epsilon")!,
        centered: f.flag("centered"))
    default: return nil
    }
  }

  @Test func defaultsAreKeras() {
    #expect(SGD().learningRate == 0.01 && SGD().momentum == 0 && !SGD().nesterov)
    #expect(Adam().learningRate == 0.001 && Adam().beta1 == 0.9 && Adam().beta2 == 0.999 && Adam().epsilon == 1e-7)
    #expect(AdamW().learningRate == 0.001 && AdamW().weightDecay == 0.004)
    #expect(RMSprop().learningRate == 0.001 && RMSprop().rho == 0.9 && RMSprop().epsilon == 1e-7)
  }

  @Test func centeredRMSpropFollowsItsFormula() throws {
    let gradients = NDArray([1, -2, 0.5, 3] as [Float], shape: [2, 2])
    let steps = try run(
      RMSprop(learningRate: 0.1, rho: 0.5, momentum: 0.25, epsilon: 1e-3, centered: true),
      initial: NDArray([1, 2] as [Float], shape: [2]), gradients: gradients)
    for i in 0..<2 {
      var (p, v, m, momentum) = (Double(i + 1), 0.0, 0.0, 0.0)
      for step in 0..<2 {
        let g = gradients.doubles[step * 2 + i]
        v = 0.5 * v + 0.5 * g * g
        m = 0.5 * m + 0.5 * g
        momentum = 0.25 * momentum + 0.1 * g / (v - m * m + 1e-3).squareRoot()
        p -= momentum
        #expect(abs(steps[step].doubles[i] - p) < 1e-6)
      }
    }
  }

  /// The whole update is one launch, whatever the number of parameters.
  @Test func updateIsOneLaunch() throws {
    let parameters = (0..<5).map { Parameter("p\($0)", value: NDArray(zeros: [3 + $0])) }
    let session = try Device.reference.openSession()
    let arena = try ParameterArena(parameters.map { ($0.name, $0) }, Optimization(Adam()), session: session)
    #expect(arena.count == 5 * 128)
    let graph = Graph(mode: .training)
    try graph.trace { graph in
      let losses = parameters.map { reduceSum(graph.parameter($0) * graph.parameter($0)) }
      arena.appendUpdate(to: graph, loss: losses.dropFirst().reduce(losses[0], +))
    }
    let plan = try session.compile(graph)
    #expect(plan.listing.split(separator: "\n").count { $0.contains("= update") } == 1)
    // Five gradients (2 * p) and the update.
    #expect(plan.launchCount == 6, "\(plan.listing)")
  }

  @Test func unknownNameListsTheOthers() throws {
    let error = #expect(throws: UnknownNameError.self) { try Optimizers.catalog.make("adagrad") }
    #expect(error?.description.contains("rmsprop") == true)
    for name in Optimizers.catalog.names {
      #expect(try Optimizers.catalog.make(name, learningRate: 0.5).learningRate == 0.5)
    }
  }

  @Test func arenaRefusesParametersInUse() throws {
    let parameter = Parameter("p", value: NDArray(zeros: [2]))
    let session = try Device.reference.openSession()
    let graph = Graph()
    _ = try session.compile(graph, outputs: [graph.parameter(parameter) * 2])
    #expect(throws: GraphError.self) { try ParameterArena([("p", parameter)], Optimization(SGD()), session: session) }
  }
}
