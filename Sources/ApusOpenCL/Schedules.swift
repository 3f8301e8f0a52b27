package import ApusCore

/// What a tuner varies of a blocking that a cost model chooses.
struct TileVariation {
  /// Vectors of a block of registers, where they are not left to the model.
  var vectors: Int?
  /// Factor of the work that the model gives to a work-item.
  var work = 1.0

  /// Of `all` counts of vectors, those that may be chosen.
  func vectorCounts(_ all: ClosedRange<Int>) -> ClosedRange<Int> {
    vectors.map { min($0, all.upperBound)...min($0, all.upperBound) } ?? all
  }

  /// The model's own choice, and with more and less work for a work-item.
  static let ofWork = [TileVariation(), .init(work: 0.5), .init(work: 2)]
  /// These, and with each count of vectors.
  static let all = ofWork + (1...4).map { .init(vectors: $0) }
}

extension OpenCLBackend: TunableBackend {
  package func scheduleChoice(for request: KernelRequest) -> ScheduleChoice? {
    // Poolings are part of one kind of kernel only.
    request.pooling == nil ? request.op.onOpenCL?.scheduleChoice(request, on: self) : nil
  }

  /// The schedule that was chosen for `problem` if it is one of `all`, else the first of them. `all` is called only
  /// where there is a choice.
  func chosen<S: KernelSchedule>(_ problem: String, usual: S, all: () -> [S]) -> S {
    guard let name = schedules[problem] else { return usual }
    return all().first { $0.name == name } ?? usual
  }

  package func tuningPlace() throws(BackendError) -> TuningPlace? {
    guard let folder = programs.folder else { return nil }
    let device = context.device
    let kernels = try KernelSource.checksum()
    let name = "\(device.description.name), \(device.description.computeUnits) compute units"
    let driver = "\(device.platformName), \(device.description.driver), \(device.kernelClass.rawValue)-class kernels"
    let key = Checksum("\(name)\n\(driver)\n\(kernels)".utf8).value
    return TuningPlace(
      path: FilePath.join(folder, "tuning-\(String(key, radix: 16)).json"), device: name, driver: driver,
      kernels: kernels)
  }
}

extension ConvolutionShape {
  /// The key of a pass over these shapes.
  func problem(_ pass: ConvolutionPass) -> String {
    let sizes = "x \(n)x\(h)x\(w)x\(c) filter \(r)x\(s)x\(groupC)x\(k) \(window)"
    let groups = groups == 1 ? "" : " groups \(groups)"
    return "\(pass.names.entry) \(sizes)\(groups)"
  }
}

extension ScheduleChoice {
  /// Those of `schedules` that differ; `nil` where there is but one.
  init?(_ problem: String, _ schedules: [some KernelSchedule]) {
    var names: [String] = []
    for schedule in schedules where !names.contains(schedule.name) { names.append(schedule.name) }
    guard names.count > 1 else { return nil }
    self.init(problem: problem, schedules: names)
  }
}
