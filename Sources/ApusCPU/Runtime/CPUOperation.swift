import ApusCore

/// What the backend has for an operation, in the operation's file here.
protocol CPUOperation: Operation {
  /// Whether the kernel applies an epilogue while its result is in the cache, or its result is small. Copies gain
  /// nothing by it, and an epilogue computes in float32, so index results have none.
  var takesEpilogue: Bool { get }
  /// What the fast kernel of a float32 operation with operands that are not empty needs, and how it is computed where
  /// there are several ways.
  func prepare(_ request: KernelRequest, on backend: CPUBackend) -> Prepared
  /// The fast kernel of a float32 operation with operands that are not empty.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body
  /// The same in plain loops, in float64 and without the epilogue.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void
}

extension CPUOperation {
  var takesEpilogue: Bool { false }
  func prepare(_ request: KernelRequest, on backend: CPUBackend) -> Prepared { Prepared(takesEpilogue: takesEpilogue) }
}

extension Op {
  /// `nil` for leaves and views, which have no kernel.
  var onCPU: (any CPUOperation)? { facts as? any CPUOperation }
}
