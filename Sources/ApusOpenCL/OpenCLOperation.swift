import ApusCore

/// What the backend has for an operation, in the operation's file here.
protocol OpenCLOperation: Operation {
  /// Whether there is one; else the operation is decomposed.
  var hasKernel: Bool { get }
  /// Whether the kernels apply an epilogue.
  var takesEpilogue: Bool { get }
  /// Scratch memory that the kernels need while they run.
  func workspaceByteCount(_ inputs: [TensorType], _ output: TensorType, on backend: OpenCLBackend) -> Int
  /// `nil` where there is one schedule.
  func scheduleChoice(
    _ inputs: [TensorType], _ output: TensorType, on backend: OpenCLBackend
  ) -> ScheduleChoice?
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel
}

extension OpenCLOperation {
  var hasKernel: Bool { true }
  var takesEpilogue: Bool { false }
  func workspaceByteCount(_ inputs: [TensorType], _ output: TensorType, on backend: OpenCLBackend) -> Int { 0 }
  func scheduleChoice(
    _ inputs: [TensorType], _ output: TensorType, on backend: OpenCLBackend
  ) -> ScheduleChoice? { nil }
}

extension Op {
  /// `nil` for leaves and views, which have no kernel.
  var onOpenCL: (any OpenCLOperation)? { facts as? any OpenCLOperation }
}
