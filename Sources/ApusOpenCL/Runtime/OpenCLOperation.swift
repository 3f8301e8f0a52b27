import ApusCore

/// What the backend has for an operation, in the operation's file here.
protocol OpenCLOperation: Operation {
  /// Whether the kernels apply an epilogue, where `prepare` does not say more.
  var takesEpilogue: Bool { get }
  /// What the kernels need, and how they compute it where there are several ways; `nil` where there are none: the
  /// operation is decomposed.
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared?
  /// The ways that a tuner tries; `nil` where there is one.
  func scheduleChoice(_ request: KernelRequest, on backend: OpenCLBackend) -> ScheduleChoice?
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel
}

extension OpenCLOperation {
  var takesEpilogue: Bool { false }
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    Prepared(takesEpilogue: takesEpilogue)
  }
  func scheduleChoice(_ request: KernelRequest, on backend: OpenCLBackend) -> ScheduleChoice? { nil }
}

extension Op {
  /// `nil` for leaves and views, which have no kernel.
  var onOpenCL: (any OpenCLOperation)? { facts as? any OpenCLOperation }
}
