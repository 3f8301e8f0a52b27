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

  package func tuningPlace() throws(BackendError) -> TuningPlace? {
    let device = context.device
    let driver = "\(device.platformName), \(device.description.driver), \(device.kernelClass.rawValue)-class kernels"
    let kernels = try KernelSource.checksum()
    return programs.folder.map { TuningPlace(in: $0, device.description, driver: driver, kernels: kernels) }
  }
}
