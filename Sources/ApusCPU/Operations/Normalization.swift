import ApusCore
internal import CThreads
internal import CVector

extension Normalization: CPUOperation {
  var takesEpilogue: Bool { pass == .forward || pass == .inputGradient }

  /// Samples a few at a time, each read from memory once where the cache holds it.
  ///
  /// The cut into blocks of samples depends on the shape alone, so that any number of threads gives the same sums.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let samples = NormalizedSamples(self, invocation)
    let scratch = backend.workScratch
    try scratch.reserve(
      Int(apus_thread_count()) * samples.scratchCount * MemoryLayout<Float>.stride, limit: backend.device.memoryBytes)
    if pass == .forward {
      let epilogue = try backend.epilogueProgram(invocation)
      return parallelLoop(over: samples.blockCount) { blocks, part in
        for block in blocks {
          let range = samples.range(block)
          samples.normalize(range, scratch.floats(part: part, stride: samples.scratchCount))
          epilogue?.run(samples.elements(range), part: part)
        }
      }
    }
    let (epilogue, length) = (try backend.epilogueProgram(invocation), 2 * samples.sizes.channels)
    let (isOne, count) = (samples.blockCount == 1, samples.blockCount)
    let target = samples.parameterGradients
    let partial = target == nil || isOne ? nil : try backend.allocate(count * length * MemoryLayout<Float>.stride)
    let partials = partial?.base.assumingMemoryBound(to: Float.self) ?? target
    let pass = parallelLoop(over: count) { blocks, part in
      for block in blocks {
        let range = samples.range(block)
        let sums = partials.map { $0 + block * length }
        sums?.update(repeating: 0, count: length)
        samples.differentiate(range, sums, scratch.floats(part: part, stride: samples.scratchCount))
        epilogue?.run(samples.elements(range), part: part)
      }
    }
    guard let partial, let partials, let target else { return pass }
    return {
      pass()
      withExtendedLifetime(partial) {
        apus_reduce_columns(APUS_REDUCE_SUM, partials, Int64(count), Int64(length), target)
      }
    }
  }
}

/// The samples of an invocation, each of which is one or several groups.
private struct NormalizedSamples {
  let sizes: Normalization.Sizes
  let scratchCount: Int
  let blockCount: Int
  /// Where `[dgamma, dbeta]` go; `nil` where they are not asked for.
  let parameterGradients: UnsafeMutablePointer<Float>?
  private let epsilon: Float
  private let x, gamma, last: UnsafeMutablePointer<Float>
  /// `y` or `dx`.
  private let result: UnsafeMutablePointer<Float>?
  private let samplesPerBlock: Int

  init(_ normalization: Normalization, _ invocation: Invocation<CPUBuffer>) {
    sizes = .init(normalization, invocation.inputs[0].shape)
    epsilon = Float(normalization.epsilon)
    (x, gamma, last) = (invocation.inputs[0].floats, invocation.inputs[1].floats, invocation.inputs[2].floats)
    let output = invocation.output.floats
    result = normalization.pass == .parameterGradients ? nil : output
    switch normalization.pass {
    case .forward, .inputGradient: parameterGradients = nil
    case .parameterGradients: parameterGradients = output
    case .gradients: parameterGradients = output + Normalization.parameterStart(invocation.inputs[0].count)
    }
    // Rows are summed a few at a time.
    let (few, most) = sizes.positions == 1 ? (32, 1024) : (1, 32)
    samplesPerBlock = max(few, min(most, 32768 / (sizes.positions * sizes.channels)))
    blockCount = (sizes.samples + samplesPerBlock - 1) / samplesPerBlock
    scratchCount = sizes.positions == 1 ? 0 : Int(apus_normalize_scratch(Int64(sizes.channels))).roundedUpToLine
  }

  func range(_ block: Int) -> Range<Int> {
    (block * samplesPerBlock)..<min((block + 1) * samplesPerBlock, sizes.samples)
  }

  func elements(_ range: Range<Int>) -> Range<Int> {
    let length = sizes.positions * sizes.channels
    return (range.lowerBound * length)..<(range.upperBound * length)
  }

  /// The arguments of the C functions: positions or the distance of rows, groups, width.
  private var positions: Int64 { Int64(sizes.positions) }
  private var channels: Int64 { Int64(sizes.channels) }
  private var groups: Int64 { Int64(sizes.groups) }
  private var width: Int64 { Int64(sizes.width) }

  func normalize(_ range: Range<Int>, _ scratch: @autoclosure () -> UnsafeMutablePointer<Float>) {
    if sizes.positions == 1 {
      let first = range.lowerBound * sizes.channels
      for g in stride(from: 0, to: sizes.channels, by: sizes.width) {
        apus_normalize_rows(
          x + first + g, gamma + g, last + g, result! + first + g, Int64(range.count), channels, width, epsilon)
      }
      return
    }
    for sample in range {
      let first = sample * sizes.positions * sizes.channels
      apus_normalize_sample(x + first, gamma, last, result! + first, positions, groups, width, epsilon, scratch())
    }
  }

  /// - Parameter sums: what the samples' `[dgamma, dbeta]` are added to.
  func differentiate(
    _ range: Range<Int>, _ sums: UnsafeMutablePointer<Float>?, _ scratch: @autoclosure () -> UnsafeMutablePointer<Float>
  ) {
    let (dgamma, dbeta) = (sums, sums.map { $0 + sizes.channels })
    if sizes.positions == 1 {
      let first = range.lowerBound * sizes.channels
      for g in stride(from: 0, to: sizes.channels, by: sizes.width) {
        apus_normalize_rows_gradients(
          x + first + g, gamma + g, last + first + g, result.map { $0 + first + g }, dgamma.map { $0 + g },
          dbeta.map { $0 + g }, Int64(range.count), channels, width, epsilon)
      }
      return
    }
    for sample in range {
      let first = sample * sizes.positions * sizes.channels
      apus_normalize_sample_gradients(
        x + first, gamma, last + first, result.map { $0 + first }, dgamma, dbeta, positions, groups, width, epsilon,
        scratch())
    }
  }
}
