package import ApusCore

/// Convolutions can be computed in several ways.
extension CPUBackend: TunableBackend {
  package func scheduleChoice(for request: KernelRequest) -> ScheduleChoice? {
    guard mode == .fast, !request.needsReference, case .convolution(let convolution) = request.op else { return nil }
    let shape = ConvolutionShape(convolution, operands: request.operands, result: request.result)
    return ScheduleChoice(
      shape.problem(convolution.pass), Conv2DSchedule.all(convolution.pass, shape, oneDNN: usesOneDNN))
  }

  package func tuningPlace() -> TuningPlace? {
    guard mode == .fast else { return nil }
    return kernelCacheFolder().map { TuningPlace(in: $0, device, driver: device.driver, kernels: Self.kernels) }
  }

  /// Stands for the loops of this package; to be raised when they become faster, so that choices are made anew.
  private static let kernels = "1"
}
