import ApusCore

extension OpenCLBackend {
  /// The launch that adds the `number` parts of a result which lie one after the other in `parts`.
  func sumParts(
    _ number: Int, in parts: OpenCLBuffer, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLLaunch {
    let count = call.output.type.count
    let source = try source(["sum_parts"], [:], for: call)
    let (buffers, numbers) = ([parts, call.output.buffer], OpenNumbers(sizes: [count, number]))
    switch kernelClass {
    case .cpu:
      return try launch(
        source, "sum_parts", buffers, numbers, global: [count.dividedRoundingUp(by: 256)], local: [1])
    case .gpu: return try launch(source, "sum_parts", buffers, numbers, each: count)
    }
  }
}
