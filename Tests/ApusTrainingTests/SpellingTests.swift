import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import ApusTraining
import Testing

/// What Swift and Keras users type first, and what it means.
@Suite struct SpellingTests {
  @Test func devices() {
    let spelled: [Device] = [.openCL, .gpu, .cpu, .openCL("radeon"), .openCL(1)]
    #expect(spelled == [.openCL(.best), .openCL(.kind(.gpu)), .cpu, .openCL(.named("radeon")), .openCL(.index(1))])
  }

  @Test func validationByNumber() throws {
    let data = try quadrants(40)
    let (short, long) = (try makeTrainer(), try makeTrainer())
    try short.fit(data, validation: 0.25, progress: .none)
    try long.fit(data, validation: .split(0.25), progress: .none)
    #expect(short.history.epochs[0].validationLoss != nil)
    #expect(short.history.epochs[0].validationLoss == long.history.epochs[0].validationLoss)
  }

  /// The short form of an optimizer has the same defaults and passes all that it is given.
  @Test func optimizers() {
    func same(_ a: any Optimizer, _ b: any Optimizer) { #expect("\(a)" == "\(b)") }
    same(.sgd, SGD())
    same(.adam, Adam())
    same(.adamw, AdamW())
    same(.rmsprop, RMSprop())
    same(.sgd(), SGD())
    same(.adam(), Adam())
    same(.adamw(), AdamW())
    same(.rmsprop(), RMSprop())
    same(
      .sgd(learningRate: 1, momentum: 0.2, nesterov: true, weightDecay: 0.3),
      SGD(learningRate: 1, momentum: 0.2, nesterov: true, weightDecay: 0.3))
    same(
      .adam(learningRate: 1, beta1: 0.2, beta2: 0.3, epsilon: 0.4),
      Adam(learningRate: 1, beta1: 0.2, beta2: 0.3, epsilon: 0.4))
    same(
      .adamw(learningRate: 1, weightDecay: 0.5, beta1: 0.2, beta2: 0.3, epsilon: 0.4),
      AdamW(learningRate: 1, weightDecay: 0.5, beta1: 0.2, beta2: 0.3, epsilon: 0.4))
    same(
      .rmsprop(learningRate: 1, rho: 0.2, momentum: 0.3, epsilon: 0.4, centered: true),
      RMSprop(learningRate: 1, rho: 0.2, momentum: 0.3, epsilon: 0.4, centered: true))
  }

  @Test func numbersOfAnyFloatingPointType() throws {
    let (factor, share): (Float, Float32) = (0.5, 4)
    let graph = Graph()
    let results = try graph.trace { graph in
      let x = graph.input("x", shape: [2])
      return [factor * x, x * factor, factor + x, x + factor, factor - x, x - factor, share / x, x / share, 2 * x]
    }
    let run = try Device.reference.openSession().compile(graph, outputs: results)
    let values = try run([NDArray([1, 2] as [Float], shape: [2])], outputs: results.count).map(\.doubles)
    #expect(
      values == [
        [0.5, 1], [0.5, 1], [1.5, 2.5], [1.5, 2.5], [-0.5, -1.5], [0.5, 1.5], [4, 2], [0.25, 0.5], [2, 4],
      ])
  }

  @Test func fitInsideACallbackIsAnError() throws {
    final class Nested: Callback {
      let data: ImageDataset
      init(_ data: ImageDataset) { self.data = data }
      func handle(_ event: TrainingEvent, in trainer: Trainer) throws {
        guard case .epochEnded = event else { return }
        _ = try trainer.evaluate(data)
        _ = try trainer.predict(data.images)
        try trainer.fit(data, progress: .none)
      }
    }
    let data = try quadrants(40)
    let trainer = try makeTrainer()
    let error = #expect(throws: TrainingError.self) {
      try trainer.fit(data, epochs: 3, progress: .none, callbacks: [Nested(data)])
    }
    #expect(error?.description.contains("inside the fit") == true, "\(error!)")
    #expect(trainer.history.epochs.count == 1)
    // Afterwards it goes on as usual.
    try trainer.fit(data, progress: .none)
    #expect(trainer.history.epochs.count == 2)
  }
}
