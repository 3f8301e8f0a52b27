import Apus
import ArgumentParser

/// How the learning rate goes over the steps of a training.
enum ScheduleName: String, CaseIterable, ExpressibleByArgument {
  case constant, step, exponential, cosine, polynomial
  case oneCycle = "one-cycle"

  /// The schedule of `steps` changes of the weights.
  func hyperparameter(_ rate: Double, steps: Int) -> Hyperparameter {
    switch self {
    case .constant: Hyperparameter(rate)
    case .step: Hyperparameter(StepDecay(from: rate, every: max(1, (steps + 2) / 3)))
    case .exponential: Hyperparameter(ExponentialDecay(from: rate, factor: 0.01, every: steps))
    case .cosine: Hyperparameter(CosineDecay(from: rate, over: steps))
    case .polynomial: Hyperparameter(PolynomialDecay(from: rate, to: 0, over: steps))
    case .oneCycle: Hyperparameter(OneCycle(peak: rate, over: steps))
    }
  }
}

/// What turns gradients into new weights.
struct OptimizationOptions: ParsableArguments {
  @Option(help: "The rule that changes the weights (default: adam).")
  var optimizer: OptimizerName?

  @Option(help: ArgumentHelp("Size of a step (default: the optimizer's own; 0.001 for adam).", valueName: "x"))
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "How the learning rate goes (default: constant).",
      discussion: """
        Over all steps of this training. step: a tenth after each third. exponential: down to a hundredth. cosine, \
        polynomial: down to 0 along half a cosine or a line. one-cycle: up from 1/25 and down to nearly 0.
        """))
  var schedule: ScheduleName?

  @Option(help: ArgumentHelp("Steps in which the learning rate first rises from 0.", valueName: "n"))
  var warmUp: Int?

  @Option(
    help: ArgumentHelp("Weight decay of adamw or sgd; biases and norms are spared.", valueName: "x"))
  var weightDecay: Double?

  @Option(help: ArgumentHelp("Bring each number of the gradients into -x ... x.", valueName: "x"))
  var clipValue: Double?

  @Option(help: ArgumentHelp("Bring each parameter's gradient to a length of at most x.", valueName: "x"))
  var clipNorm: Double?

  @Option(help: ArgumentHelp("Bring all gradients together to a length of at most x.", valueName: "x"))
  var clipGlobalNorm: Double?

  @Option(help: ArgumentHelp("Change the weights after each n-th step, by the mean of n gradients.", valueName: "n"))
  var accumulate: Int?

  @Option(
    help: ArgumentHelp(
      "Evaluate and save a moving average of the weights, which keeps this share of itself at each step: 0.999.",
      valueName: "decay"))
  var average: Double?

  func validate() throws {
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be a positive number such as 0.001, not \(learningRate).")
    }
    if let warmUp { try requireCount(warmUp, "--warm-up") }
    if let accumulate { try requireCount(accumulate, "--accumulate") }
    for (option, transform) in transforms {
      if let problem = transform.problem { throw ValidationError("\(option): \(problem).") }
    }
  }

  /// The options that were given.
  var given: [String] {
    let options: [(String, Bool)] = [
      ("--optimizer", optimizer != nil), ("--learning-rate", learningRate != nil), ("--schedule", schedule != nil),
      ("--warm-up", warmUp != nil), ("--weight-decay", weightDecay != nil),
    ]
    return options.filter(\.1).map(\.0) + transforms.map(\.option)
  }

  /// In the order in which they are applied.
  private var transforms: [(option: String, transform: any GradientTransform)] {
    let all: [(String, (any GradientTransform)?)] = [
      ("--accumulate", accumulate.map { Accumulate($0) }), ("--clip-value", clipValue.map { ClipValue($0) }),
      ("--clip-norm", clipNorm.map { ClipNorm($0) }), ("--clip-global-norm", clipGlobalNorm.map { ClipGlobalNorm($0) }),
      ("--average", average.map { Average(decay: $0) }),
    ]
    return all.compactMap { option, transform in transform.map { (option, $0) } }
  }

  /// - Parameter steps: of the whole training.
  func optimization(steps: Int) throws -> Optimization {
    var rule = try Optimizers.catalog.make(optimizer?.name ?? "adam")
    let updates = max(1, steps / (accumulate ?? 1))
    if let warmUp, warmUp >= updates {
      throw CommandError(.usage, "--warm-up \(warmUp): the training changes the weights \(updates) times")
    }
    let after = (schedule ?? .constant).hyperparameter(
      learningRate ?? rule.learningRate(1), steps: updates - (warmUp ?? 0))
    rule.learningRate = warmUp.map { Hyperparameter(WarmUp(steps: $0, then: after)) } ?? after
    var groups: [ParameterGroup] = []
    if let weightDecay {
      guard weightDecay >= 0, weightDecay.isFinite else {
        throw CommandError(.usage, "--weight-decay must be at least 0, not \(weightDecay)")
      }
      guard var decaying = rule as? any WeightDecayingOptimizer else {
        throw CommandError(.usage, "--weight-decay: \(rule.name) has none; use adamw or sgd")
      }
      decaying.weightDecay = weightDecay
      (rule, groups) = (decaying, [.withoutWeightDecay])
    }
    return Optimization(rule, groups: groups, transforms: transforms.map(\.transform))
  }
}
