import ApusCore
import ApusDevices
import ApusOptimize
import Testing

/// Transforms, groups and averages against Keras and PyTorch: six steps of two parameters with given gradients.
@Suite struct UpdateTests {
  private static let names = ["kernel", "bias"]

  @Test(arguments: Fixture.all(in: "updates").filter { $0.string("rule") != nil })
  func updateAgrees(_ fixture: Fixture) throws {
    var transforms: [any GradientTransform] = []
    if let steps = fixture.number("accumulate") { transforms.append(Accumulate(Int(steps))) }
    if let limit = fixture.number("clip_value") { transforms.append(ClipValue(limit)) }
    if let limit = fixture.number("clip_norm") { transforms.append(ClipNorm(limit)) }
    if let limit = fixture.number("clip_global_norm") { transforms.append(ClipGlobalNorm(limit)) }
    if let decay = fixture.number("average") { transforms.append(Average(decay: decay)) }
    let rule: any Optimizer =
      fixture.string("rule") == "sgd"
      ? SGD(learningRate: fixture.number("learning_rate")!, momentum: fixture.number("momentum") ?? 0)
      : AdamW(
        learningRate: fixture.number("learning_rate")!, weightDecay: fixture.number("weight_decay")!,
        beta1: fixture.number("beta_1")!, beta2: fixture.number("beta_2")!, epsilon: fixture.number("epsilon")!)
    let optimization = Optimization(
      rule, groups: fixture.flag("spared") ? [.withoutWeightDecay] : [], transforms: transforms)
    let run = try Run(optimization, Dictionary(uniqueKeysWithValues: Self.names.map { ($0, fixture["\($0)_initial"]) }))
    for step in 0..<6 {
      try run.step(step + 1, gradients: Self.names.map { fixture["\($0)_gradients"].row(step) })
      let states = Dictionary(uniqueKeysWithValues: try run.arena.states().map { ($0.name, $0.value) })
      for (name, parameter) in run.parameters {
        expectEqual(
          try parameter.value(), fixture["\(name)_values"].row(step), tolerance: 2e-6, "\(name), step \(step + 1)")
        guard fixture.number("average") != nil else { continue }
        expectEqual(
          states["average.\(name)"]!, fixture["\(name)_averages"].row(step), tolerance: 2e-6,
          "average of \(name), step \(step + 1)")
      }
    }
  }

  /// One step of the sum of two gradients, halved, is two steps that are accumulated; in between nothing moves.
  @Test func accumulationIsTheMean() throws {
    let initial = ["kernel": NDArray([1, 2] as [Float], shape: [1, 2]), "bias": NDArray([3] as [Float], shape: [1])]
    let parts = try Run(Optimization(Adam(learningRate: 0.1), transforms: [Accumulate(2)]), initial)
    let whole = try Run(Optimization(Adam(learningRate: 0.1)), initial)
    for step in 0..<6 {
      let gradients = [NDArray([Float(step), 1] as [Float], shape: [1, 2]), NDArray([-1] as [Float], shape: [1])]
      let before = try parts.values()
      try parts.step(step + 1, gradients: gradients)
      if step % 2 == 0 {
        #expect(try parts.values() == before)
      } else {
        let mean = [NDArray([Float(step) - 0.5, 1] as [Float], shape: [1, 2]), gradients[1]]
        try whole.step(step / 2 + 1, gradients: mean)
        #expect(try parts.values() == whole.values())
      }
    }
  }

  /// Groups scale the learning rate; the first that means a parameter has it, and one launch serves each.
  @Test func groupsHaveTheirLearningRates() throws {
    let initial = ["kernel": NDArray([1, 2] as [Float], shape: [1, 2]), "bias": NDArray([3] as [Float], shape: [1])]
    let groups = [
      ParameterGroup(.path("b*s"), learningRate: 0),
      ParameterGroup(.biasesAndNorms || .path("ker*"), learningRate: 0.5),
    ]
    let run = try Run(Optimization(SGD(learningRate: 1), groups: groups), initial)
    try run.step(1, gradients: [NDArray([1, 1] as [Float], shape: [1, 2]), NDArray([1] as [Float], shape: [1])])
    #expect(try run.values().map(\.doubles) == [[0.5, 1.5], [3]])
    #expect(run.plan.listing.split(separator: "\n").count { $0.contains("= update") } == 2)
  }

  /// A transform of one's own that keeps a vector and reads a number.
  @Test func ownTransformsKeepStates() throws {
    struct Doubling: GradientTransform {
      var states: [TransformState] { [TransformState("sum")] }
      func appendValues(step: Int, update: Int, to values: inout [Double]) { values.append(Double(step)) }
      func apply(to gradients: inout Gradients) {
        let sum = gradients.states[0] + gradients.values[0] * gradients.element
        gradients.setState(0) { _ in sum }
        gradients.element = sum
      }
    }
    let initial = ["kernel": NDArray([0] as [Float], shape: [1, 1]), "bias": NDArray([0] as [Float], shape: [1])]
    let run = try Run(Optimization(SGD(learningRate: 1), transforms: [Doubling(), ClipValue(2.5)]), initial)
    let gradients = [NDArray([1] as [Float], shape: [1, 1]), NDArray([2] as [Float], shape: [1])]
    try run.step(1, gradients: gradients)
    try run.step(2, gradients: gradients)
    // Sums 1, 3 and 2, 6, of which at most 2.5 counts.
    #expect(try run.values().map(\.doubles) == [[-3.5], [-4.5]])
  }

  @Test func mistakesAreErrors() throws {
    let initial = ["kernel": NDArray(zeros: [1, 1]), "bias": NDArray(zeros: [1])]
    let wrong: [(Optimization, String)] = [
      (Optimization(Adam(), groups: [.withoutWeightDecay]), "adam has no weight decay"),
      (Optimization(SGD(), groups: [ParameterGroup(.path("body.*"))]), "kernel, bias"),
      (Optimization(SGD(), groups: [ParameterGroup(.all), ParameterGroup(.kernels)]), "kernels"),
      (Optimization(SGD(), groups: [ParameterGroup(.all, learningRate: .nan)]), "nan"),
      (Optimization(SGD(), transforms: [ClipValue(0)]), "0"), (Optimization(SGD(), transforms: [Accumulate(0)]), "0"),
      (Optimization(SGD(), transforms: [Average(decay: 1)]), "1"),
      (Optimization(SGD(learningRate: .cosineDecay(from: 1, over: 0))), "over"),
      (Optimization(SGD(learningRate: Double.nan)), "nan"),
    ]
    for (optimization, part) in wrong {
      let error = #expect(throws: GraphError.self) { try Run(optimization, initial) }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
  }

  /// Steps on `sum(kernel * g) + sum(bias * h)`, whose gradients are g and h.
  private struct Run {
    let parameters: [(String, Parameter)]
    let arena: ParameterArena
    let plan: any Executable
    private let optimization: Optimization

    init(_ optimization: Optimization, _ initial: [String: NDArray]) throws {
      self.optimization = optimization
      parameters = UpdateTests.names.map { ($0, Parameter($0, value: initial[$0]!)) }
      let session = try Device.reference.openSession()
      let arena = try ParameterArena(parameters.map { ($0, $1) }, optimization, session: session)
      self.arena = arena
      let graph = Graph(mode: .training)
      let parameters = parameters
      try graph.trace { graph in
        let losses = parameters.map { name, parameter in
          reduceSum(graph.parameter(parameter) * graph.input(name, shape: parameter.shape))
        }
        arena.appendUpdate(to: graph, loss: losses[0] + losses[1])
      }
      plan = try session.compile(graph)
    }

    func step(_ number: Int, gradients: [NDArray]) throws {
      var values: [Double] = []
      arena.appendValues(of: optimization, step: number, to: &values)
      _ = try plan(gradients + values.map { NDArray(Float($0)) }, outputs: 0)
    }

    func values() throws -> [NDArray] { try parameters.map { try $1.value() } }
  }
}

extension NDArray {
  /// Row `index` of the first axis, without the axis.
  fileprivate func row(_ index: Int) -> NDArray { rows(index..<(index + 1)).reshaped(Array(shape.dropFirst())) }
}
