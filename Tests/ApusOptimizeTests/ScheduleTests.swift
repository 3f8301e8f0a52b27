import ApusCore
import ApusOptimize
import Foundation
import Testing

/// Schedules against Keras and PyTorch, and as files hold them.
@Suite struct ScheduleTests {
  @Test(arguments: Fixture.all(in: "updates").filter { $0.string("schedule") != nil })
  func scheduleAgrees(_ fixture: Fixture) throws {
    let schedule = try #require(Self.schedule(fixture))
    for (step, value) in zip(fixture["steps"].doubles, fixture["values"].doubles) {
      let own = schedule(Int(step) + 1)
      // Keras computes in float32, and the fixture holds it.
      #expect(abs(own - value) <= 1e-6 * fixture.number("first")!, "after \(Int(step)) steps: \(own), not \(value)")
    }
    let encoded = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Hyperparameter.self, from: encoded) == schedule)
  }

  private static func schedule(_ f: Fixture) -> Hyperparameter? {
    let (first, last) = (f.number("first")!, f.number("last") ?? 0)
    func steps(_ key: String) -> Int { Int(f.number(key)!) }
    let schedule: any Schedule
    switch f.string("schedule") {
    case "cosine": schedule = CosineDecay(from: first, to: last, over: steps("over"))
    case "exponential": schedule = ExponentialDecay(from: first, factor: f.number("factor")!, every: steps("every"))
    case "polynomial":
      schedule = PolynomialDecay(from: first, to: last, over: steps("over"), power: f.number("power")!)
    case "one_cycle": schedule = OneCycle(peak: first, over: steps("over"))
    case "step":
      schedule =
        f.number("every") == nil
        ? StepDecay(from: first, factor: f.number("factor")!, milestones: f.integers("milestones"))
        : StepDecay(from: first, factor: f.number("factor")!, every: steps("every"))
    default: return nil
    }
    let hyperparameter = Hyperparameter(schedule)
    return f.number("warm_up").map { Hyperparameter(WarmUp(steps: Int($0), then: hyperparameter)) } ?? hyperparameter
  }

  @Test func constantsAreNumbersInFiles() throws {
    let text = String(decoding: try JSONEncoder().encode([Hyperparameter(0.25), 3]), as: UTF8.self)
    #expect(text == "[0.25,3]")
    #expect(try JSONDecoder().decode([Hyperparameter].self, from: Data(text.utf8)) == [0.25, 3])
  }

  @Test func schedulesOfOnesOwnHaveNames() throws {
    struct InverseRoot: Schedule {
      var first = 0.5
      func value(after steps: Int) -> Double { first / Double(steps + 1).squareRoot() }
    }
    let own = SGD(learningRate: InverseRoot())
    #expect(own.learningRate(4) == 0.25)
    let encoded = try JSONEncoder().encode(own)
    let error = #expect(throws: UnknownNameError.self) { try JSONDecoder().decode(SGD.self, from: encoded) }
    #expect(error?.description.contains("'inverse_root'; choose one of") == true)
    Schedules.catalog.register(InverseRoot.self)
    #expect(try JSONDecoder().decode(SGD.self, from: encoded) == own)
  }

  @Test func numbersThatMakeNoScheduleAreErrors() {
    let wrong: [any Schedule] = [
      CosineDecay(from: 1, over: 0), PolynomialDecay(from: 1, over: -1), ExponentialDecay(from: 1, factor: 0),
      StepDecay(from: 1, every: 0), OneCycle(peak: 1, over: 10, rise: 2), WarmUp(steps: -1, then: 0.1),
      WarmUp(steps: 2, then: CosineDecay(from: 1, over: 0)), CosineDecay(from: -1, over: 3),
    ]
    for schedule in wrong { #expect(Hyperparameter(schedule).problem != nil, "\(schedule)") }
  }
}
