package import ApusCore

/// Finds the fastest schedules for the operations of a step.
///
/// A schedule is first run by itself and its result compared with that of another device; one that is wrong or fails is
/// out. Then the whole step is run with one schedule after the other, for all operations at once, each step beside one
/// with the device's own schedules: so every launch is timed amid its neighbours, with the caches as they leave them.
package struct Tuner {
  /// Makes a step with the session's present schedules: a function that runs it once and tells the times.
  package typealias MakeStep = () throws -> () throws -> RunProfile

  /// What came out for one problem.
  package struct Finding: Sendable {
    package let problem: String
    /// How many operations of the step it is.
    package let count: Int
    /// Of all of them in one step; 0 where they are not counted.
    package let floatingPointOperations: Double
    package let usual: String
    /// In seconds, of all of them in one step.
    package fileprivate(set) var usualDuration = 0.0
    /// The schedule that is faster, and its time as a part of the usual one's; `nil` where the usual one stays.
    package fileprivate(set) var winner: (schedule: String, ratio: Double)?
    /// Schedules that were not timed, and why.
    package fileprivate(set) var rejected: [(schedule: String, reason: String)] = []

    fileprivate var schedules: [String]
    fileprivate let operations: [Int]
    fileprivate let example: RunProfile.Operation

    /// Seconds of a step that the winner saves.
    package var saving: Double { winner.map { usualDuration * (1 - $0.ratio) } ?? 0 }
  }

  /// The least gain that is worth a choice: less is noise.
  private static let leastGain = 0.03

  private let session: any TunableSession
  private var backend: any TunableBackend { session.tunable }
  private let reference: any Session
  private let log: (String) -> Void

  /// - Parameters:
  ///   - reference: a device that computes with other kernels.
  ///   - log: told what is being done, a line at a time.
  package init(_ session: any TunableSession, reference: any Session, log: @escaping (String) -> Void = { _ in }) {
    self.session = session
    self.reference = reference
    self.log = log
  }

  /// Tunes the operations of a step. Afterwards the session has the winners and, for what was not tuned, the schedules
  /// that it had before.
  package func run(_ makeStep: MakeStep) throws -> [Finding] {
    let before = backend.schedules
    do {
      var findings = problems(of: try makeStep()())
      backend.schedules = before.filter { kept in !findings.contains { $0.problem == kept.key } }
      let usualSchedules = backend.schedules
      for index in findings.indices {
        log("checking \(index + 1) of \(findings.count): \(findings[index].problem)")
        try check(&findings[index])
        backend.schedules = usualSchedules
      }
      try race(&findings, makeStep)
      backend.schedules = usualSchedules
      choose(findings.map { $0.winner?.schedule }, in: findings)
      return findings
    } catch {
      backend.schedules = before
      throw error
    }
  }

  /// The problems of a step's operations, in the order of their first occurrence.
  private func problems(of profile: RunProfile) -> [Finding] {
    var choices: [ScheduleChoice] = []
    var operations: [ScheduleChoice: [Int]] = [:]
    for (index, operation) in profile.operations.enumerated() {
      guard let choice = backend.scheduleChoice(for: operation.request) else { continue }
      if operations[choice] == nil { choices.append(choice) }
      operations[choice, default: []].append(index)
    }
    return choices.map { choice in
      let indices = operations[choice]!
      return Finding(
        problem: choice.problem, count: indices.count,
        floatingPointOperations: indices.reduce(0) { $0 + profile.operations[$1].floatingPointOperations },
        usual: choice.schedules[0], schedules: choice.schedules, operations: indices,
        example: profile.operations[indices[0]])
    }
  }

  private func choose(_ names: [String?], in findings: [Finding]) {
    for (name, finding) in zip(names, findings) { backend.schedules[finding.problem] = name }
  }

  // MARK: Results

  /// Leaves the schedules that compute what the reference computes.
  private func check(_ finding: inout Finding) throws {
    let trial = try TuningTrial(finding.example)
    let expected = try trial.run(on: reference)
    for schedule in finding.schedules {
      backend.schedules[finding.problem] = schedule
      if let reason = try trial.flaw(on: session, expected: expected) { finding.rejected.append((schedule, reason)) }
    }
    finding.schedules.removeAll { name in finding.rejected.contains { $0.schedule == name } }
    // Nothing is compared with a wrong result.
    if finding.rejected.contains(where: { $0.schedule == finding.usual }) { finding.schedules = [] }
  }

  // MARK: Times

  private func race(_ findings: inout [Finding], _ makeStep: MakeStep) throws {
    let usual = try makeStep()
    _ = try usual()
    let first = try usual()
    // Steps a candidate: enough for a median, but not many of long ones.
    let rounds = max(5, min(30, Int(0.5 / max(first.duration, 1e-9))))
    let candidates = findings.map(\.schedules.count).max() ?? 0
    var best = findings.map { _ in (name: String?.none, ratio: 1.0) }
    for position in 1..<max(candidates, 1) {
      log("timing schedule \(position) of \(candidates - 1)")
      let names = findings.map { position < $0.schedules.count ? $0.schedules[position] : nil }
      let times = try measure(names, of: findings, against: usual, rounds: rounds, makeStep)
      for index in findings.indices where names[index] != nil && times[index].ratio < best[index].ratio {
        best[index] = (names[index], times[index].ratio)
      }
    }
    // The best of several measurements looks better than it is: what counts is measured once more, all winners at once.
    log("timing the winners")
    let names = best.map { $0.ratio < 1 - Self.leastGain ? $0.name : nil }
    let times = try measure(names, of: findings, against: usual, rounds: 2 * rounds, makeStep)
    for index in findings.indices {
      findings[index].usualDuration = times[index].usual
      if let name = names[index], times[index].ratio < 1 - Self.leastGain {
        findings[index].winner = (name, times[index].ratio)
      }
    }
  }

  /// Of each problem, the time of the usual schedule and that of another as a part of it: medians over steps that take
  /// turns.
  private func measure(
    _ names: [String?], of findings: [Finding], against usual: () throws -> RunProfile, rounds: Int,
    _ makeStep: MakeStep
  ) throws -> [(usual: Double, ratio: Double)] {
    choose(names, in: findings)
    let other = try makeStep()
    choose(names.map { _ in nil }, in: findings)
    func durations(_ profile: RunProfile) -> [Double] {
      findings.map { $0.operations.reduce(0) { $0 + profile.operations[$1].duration } }
    }
    // The first step compiles.
    _ = try other()
    var times: [(usual: [Double], other: [Double])] = []
    for _ in 0..<rounds { times.append((durations(try usual()), durations(try other()))) }
    return findings.indices.map { index in
      (times.map { $0.usual[index] }.median, times.map { $0.other[index] / $0.usual[index] }.median)
    }
  }
}
