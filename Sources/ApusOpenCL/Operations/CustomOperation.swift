import ApusCore

extension Custom: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    operation.kernel == nil ? nil : Prepared()
  }

  /// A launch of the user's kernel.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let (operands, result) = (call.inputs.map(\.type), call.output.type)
    let kernel = operation.kernel!
    let global = kernel.global(operands, result)
    let local = kernel.local ?? global.map { _ in 1 }
    guard (1...3).contains(global.count), global.count == local.count,
      zip(global, local).allSatisfy({ $0 > 0 && $1 > 0 && $0 % $1 == 0 })
    else {
      throw BackendError(
        .unsupported,
        "\(name): \(global) work-items in groups of \(local): 1 to 3 dimensions, and groups that divide them, are needed"
      )
    }
    let source = KernelSource(own: kernel.source(operands, result), name: name)
    return OpenCLKernel([
      try backend.launch(
        source, kernel.entry, call.inputs.map(\.buffer) + [call.output.buffer], global: global, local: local)
    ])
  }
}
