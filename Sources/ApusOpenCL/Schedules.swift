package import ApusCore

/// A way to compute an operation of a certain shape; all ways give the same result up to rounding.
protocol Schedule {
  /// Tells it from all others of its problem: a choice is kept by this name.
  var name: String { get }
}

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
  package func scheduleChoice(for op: Op, inputs: [TensorType], output: TensorType) -> ScheduleChoice? {
    func choice(_ problem: String, _ schedules: [some Schedule]) -> ScheduleChoice? {
      var names: [String] = []
      for schedule in schedules where !names.contains(schedule.name) { names.append(schedule.name) }
      return names.count > 1 ? ScheduleChoice(problem: problem, schedules: names) : nil
    }
    func convolution(_ pass: ConvolutionPass, _ attributes: Conv2DAttributes) -> ScheduleChoice? {
      let shape = pass.shape(attributes, inputs, output)
      return choice(shape.problem(pass), conv2DSchedules(shape, pass))
    }
    switch op {
    case .conv2D(let attributes): return convolution(.forward, attributes)
    case .conv2DInputGradient(let attributes): return convolution(.inputGradient, attributes)
    case .conv2DFilterGradient(let attributes): return convolution(.filterGradient, attributes)
    case .matMul(let attributes):
      let shape = ProductShape(attributes, inputs, output)
      return shape.k == 0 ? nil : choice(shape.problem, productSchedules(shape))
    case .input, .constant, .parameter, .reshape, .pack, .pointwise, .update, .pool2D, .pool2DGradient, .reduce,
      .channelSums, .argMax, .softmax, .crossEntropy, .crossEntropyGradient, .transpose, .slice, .concat, .pad,
      .gather, .gatherGradient:
      return nil
    }
  }

  /// The schedule that was chosen for `problem` if it is one of `all`, else the first of them. `all` is called only
  /// where there is a choice.
  func chosen<S: Schedule>(_ problem: String, usual: S, all: () -> [S]) -> S {
    guard let name = schedules[problem] else { return usual }
    return all().first { $0.name == name } ?? usual
  }

  package func tuningPlace() throws(BackendError) -> TuningPlace? {
    guard let folder = programs.folder else { return nil }
    let device = context.device
    let kernels = try KernelSource.checksum()
    let name = "\(device.description.name), \(device.description.computeUnits) compute units"
    let driver = "\(device.platformName), \(device.description.driver), \(device.schedule.rawValue)-class kernels"
    let key = Checksum("\(name)\n\(driver)\n\(kernels)".utf8).value
    return TuningPlace(
      path: FilePath.join(folder, "tuning-\(String(key, radix: 16)).json"), device: name, driver: driver,
      kernels: kernels)
  }
}

extension Conv2DShape {
  /// The key of a pass over these shapes.
  func problem(_ pass: ConvolutionPass) -> String {
    let sizes = "x \(n)x\(h)x\(w)x\(c) filter \(r)x\(s)x\(groupC)x\(k) \(window)"
    let groups = groups == 1 ? "" : " groups \(groups)"
    return "\(pass.names.entry) \(sizes)\(groups)"
  }
}
