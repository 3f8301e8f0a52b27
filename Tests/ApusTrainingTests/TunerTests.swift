import ApusCPU
import ApusCore
import Foundation
import Testing

@testable import ApusDevices

/// The reference backend with schedules for products, whose results and times a test decides.
private final class ScriptedBackend: TunableBackend {
  typealias Buffer = CPUBackend.Buffer
  struct Kernel {
    var base: CPUBackend.Kernel?
    var duration: Double
  }
  enum Schedule {
    case takes(Double)
    case wrong, failing
  }

  let base = CPUBackend(mode: .reference)
  let script: [(name: String, schedule: Schedule)]
  var schedules: [String: String] = [:]
  var place: TuningPlace?

  init(_ script: [(String, Schedule)], place: TuningPlace? = nil) {
    self.script = script
    self.place = place
  }

  func scheduleChoice(for request: KernelRequest) -> ScheduleChoice? {
    guard case .matMul = request.op else { return nil }
    return ScheduleChoice(problem: "product", schedules: script.map(\.name))
  }
  func tuningPlace() throws(BackendError) -> TuningPlace? { place }

  func kernel(for invocation: Invocation<Buffer>) throws(BackendError) -> Kernel {
    let kernel = try base.kernel(for: invocation)
    guard case .matMul = invocation.op else { return Kernel(base: kernel, duration: 1) }
    switch script.first(where: { $0.name == schedules["product"] })?.schedule ?? script[0].schedule {
    case .takes(let duration): return Kernel(base: kernel, duration: duration)
    case .wrong: return Kernel(base: nil, duration: 0.001)
    case .failing: throw BackendError(.buildFailure, "does not compile")
    }
  }
  func run(_ kernels: [Kernel]) throws(BackendError) { try base.run(kernels.compactMap(\.base)) }
  func profile(_ kernels: [Kernel]) throws(BackendError) -> [[RunProfile.Launch]] {
    try run(kernels)
    return kernels.map { [RunProfile.Launch(name: "", start: 0, duration: $0.duration)] }
  }

  var device: DeviceDescription { base.device }
  func allocate(_ byteCount: Int) throws(BackendError) -> Buffer { try base.allocate(byteCount) }
  func slice(_ buffer: Buffer, _ range: Range<Int>) throws(BackendError) -> Buffer { try base.slice(buffer, range) }
  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) throws(BackendError) {
    try base.copy(bytes, to: buffer)
  }
  func copy(_ buffer: Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try base.copy(buffer, to: bytes)
  }
  func prepare(_ request: KernelRequest) -> Prepared? { base.prepare(request) }
}

@Suite struct TunerTests {
  private func tune(_ backend: ScriptedBackend) throws -> Tuner.Finding {
    let session = BackendSession(backend)
    let tuner = Tuner(session, reference: BackendSession(CPUBackend(mode: .reference)))
    let findings = try tuner.run {
      let graph = Graph(seed: 1)
      let (x, w) = (graph.input("x", shape: [4, 3]), graph.input("w", shape: [3, 5]))
      let y = relu(dropout(matMul(x, w), rate: 0.5) + 1)
      let executable = try session.compile(graph, outputs: [y + matMul(x, w)])
      for (index, input) in executable.inputs.enumerated() {
        try executable.setInput(index, NDArray([Float](repeating: 1, count: input.type.count), shape: input.type.shape))
      }
      return executable.profile
    }
    #expect(findings.count == 1)
    #expect(findings[0].count == 2)
    return findings[0]
  }

  @Test func theFastestRightScheduleWins() throws {
    let backend = ScriptedBackend([
      ("usual", .takes(1)), ("slow", .takes(2)), ("fast", .takes(0.5)), ("wrong", .wrong), ("good", .takes(0.9)),
      ("broken", .failing),
    ])
    backend.schedules = ["other problem": "kept", "product": "good"]
    let finding = try tune(backend)
    #expect(finding.usual == "usual")
    #expect(finding.winner?.schedule == "fast")
    #expect(finding.winner?.ratio == 0.5)
    #expect(finding.usualDuration == 2)
    #expect(finding.saving == 1)
    #expect(finding.rejected.map(\.schedule) == ["wrong", "broken"])
    #expect(finding.rejected[0].reason.hasPrefix("wrong result: relative error"))
    #expect(finding.rejected[1].reason.contains("does not compile"))
    #expect(backend.schedules == ["other problem": "kept", "product": "fast"])
  }

  @Test func aGainBelowThreePercentIsNone() throws {
    let backend = ScriptedBackend([("usual", .takes(1)), ("like it", .takes(0.98))])
    backend.schedules = ["product": "like it"]
    #expect(try tune(backend).winner == nil)
    #expect(backend.schedules == [:])
  }

  @Test func nothingReplacesAWrongDefault() throws {
    let finding = try tune(ScriptedBackend([("usual", .wrong), ("fast", .takes(0.5))]))
    #expect(finding.winner == nil)
    #expect(finding.rejected.map(\.schedule) == ["usual"])
  }
}

@Suite struct TuningFileTests {
  private let folder: TemporaryFolder
  private let place: TuningPlace

  init() throws {
    folder = try TemporaryFolder()
    place = TuningPlace(path: folder("cache/tuning.json"), device: "d", driver: "1.0", kernels: "k")
  }

  /// What a session that is opened gets, and the notes on the way.
  private func load(_ place: TuningPlace?) -> (schedules: [String: String], notes: [String]) {
    let backend = ScriptedBackend([("usual", .takes(1))], place: place)
    var notes: [String] = []
    BackendSession(backend).loadTuning { notes.append($0) }
    return (backend.schedules, notes)
  }

  @Test func choicesAreKeptAndMerged() throws {
    #expect(load(place) == ([:], []))
    try TuningFile.merge(["a": "1", "b": "1", "not tuned": "1"], problems: ["a", "b"], at: place)
    #expect(load(place) == (["a": "1", "b": "1"], []))
    try TuningFile.merge(["b": "2"], problems: ["b", "c"], at: place)
    #expect(load(place) == (["a": "1", "b": "2"], []))
    try TuningFile.merge([:], problems: ["a"], at: place)
    #expect(load(place) == (["b": "2"], []))
    #expect(load(nil) == ([:], []))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("cache")) == ["tuning.json"])
  }

  @Test(arguments: [
    (device: "e", driver: "1.0", kernels: "k"), (device: "d", driver: "1.1", kernels: "k"),
    (device: "d", driver: "1.0", kernels: "l"),
  ])
  func choicesForOthersAreNotUsed(_ key: (device: String, driver: String, kernels: String)) throws {
    try TuningFile.merge(["a": "1"], problems: ["a"], at: place)
    let other = TuningPlace(path: place.path, device: key.device, driver: key.driver, kernels: key.kernels)
    let (schedules, notes) = load(other)
    #expect(schedules.isEmpty)
    #expect(notes.count == 1)
    #expect(notes.first?.contains("\(place.path): tuned for d (1.0) or for other kernels") == true)
    try TuningFile.merge(["b": "2"], problems: ["b"], at: other)
    #expect(load(other) == (["b": "2"], []))
  }

  @Test(arguments: ["", "{", "[1, 2]", "{\"format\": 2}", "#!/bin/sh", "half", "newer", "folder"])
  func aDamagedFileIsIgnoredAndReplaced(_ damage: String) throws {
    try TuningFile.merge(["a": "1"], problems: ["a"], at: place)
    let whole = try String(contentsOfFile: place.path, encoding: .utf8)
    switch damage {
    case "half": try String(whole.prefix(whole.count / 2)).write(toFile: place.path, atomically: false, encoding: .utf8)
    case "newer":
      try whole.replacing("\"format\" : 1", with: "\"format\" : 2")
        .write(toFile: place.path, atomically: false, encoding: .utf8)
    case "folder":
      try FileManager.default.removeItem(atPath: place.path)
      try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: true)
    default: try damage.write(toFile: place.path, atomically: false, encoding: .utf8)
    }
    let (schedules, notes) = load(place)
    #expect(schedules.isEmpty)
    #expect(notes.count == 1)
    #expect(notes.first?.hasPrefix("tunings are not used: \(place.path)") == true)
    guard damage != "folder" else { return }
    try TuningFile.merge(["b": "2"], problems: ["b"], at: place)
    #expect(load(place) == (["b": "2"], []))
  }
}
