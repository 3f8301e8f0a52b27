import ApusCore

extension OpenCLBackend {
  /// The launch that adds the `number` parts of a result which lie one after the other in `parts`.
  ///
  /// - Parameters:
  ///   - target: where the sums go, and `count` of them; all of the call's result if not given.
  func sumParts(
    _ number: Int, in parts: OpenCLBuffer, _ call: Invocation<OpenCLBuffer>, into target: OpenCLBuffer? = nil,
    count: Int? = nil
  ) throws(BackendError) -> OpenCLLaunch {
    let count = count ?? call.output.type.count
    let source = try source(["sum_parts"], [:], for: call)
    let (buffers, numbers) = ([parts, target ?? call.output.buffer], OpenNumbers(sizes: [count, number]))
    switch kernelClass {
    case .cpu:
      return try launch(
        source, "sum_parts", buffers, numbers, global: [count.dividedRoundingUp(by: 256)], local: [1])
    case .gpu: return try launch(source, "sum_parts", buffers, numbers, each: count)
    }
  }
}
