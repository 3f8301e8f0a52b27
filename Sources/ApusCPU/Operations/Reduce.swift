import ApusCore
internal import CVector

extension Reduction: CPUOperation {
  var takesEpilogue: Bool { true }

  /// Sum, mean or maximum over axes: one pass for each run of neighbouring reduced axes, the last one first.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let input = invocation.inputs[0]
    var groups = AxisGroup.groups(of: input.shape, reducing: axes)
    let reducedCount = axes.reduce(1) { $0 * input.shape[$1] }
    let operation = kind == .max ? APUS_REDUCE_MAXIMUM : APUS_REDUCE_SUM
    var steps: [() -> Void] = []
    var source = input.floats
    var keptBuffers: [CPUBuffer] = []
    while let position = groups.lastIndex(where: \.isReduced) {
      let outer = groups[..<position].reduce(1) { $0 * $1.size }
      let inner = groups[(position + 1)...].reduce(1) { $0 * $1.size }
      let length = groups.remove(at: position).size
      var target = invocation.output.floats
      if groups.contains(where: \.isReduced) {
        let buffer = try backend.allocate(outer * inner * MemoryLayout<Float>.stride)
        keptBuffers.append(buffer)
        target = buffer.base.assumingMemoryBound(to: Float.self)
      }
      steps += try Self.pass(
        operation, source, target, outer: outer, length: length, inner: inner, &keptBuffers, on: backend)
      source = target
    }
    let output = invocation.output
    if steps.isEmpty { steps.append { output.floats.update(from: input.floats, count: output.count) } }
    let factor = kind == .mean ? 1 / Float(reducedCount) : 1
    let epilogue = try backend.epilogueProgram(invocation)?.loop(over: output.count)
    return { [keptBuffers] in
      withExtendedLifetime(keptBuffers) { for step in steps { step() } }
      if factor != 1 { apus_scale(output.floats, factor, 0, output.floats, Int64(output.count)) }
      epilogue?()
    }
  }

  /// `target[o, i] = sum or maximum over l of source[o, l, i]`.
  ///
  /// Where there is little outside the reduced axis to share out, it is cut into chunks whose size depends on the shape
  /// alone, so that any number of threads gives the same sums.
  private static func pass(
    _ kind: apus_reduction, _ source: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>, outer: Int,
    length: Int, inner: Int, _ keptBuffers: inout [CPUBuffer], on backend: CPUBackend
  ) throws(BackendError) -> [() -> Void] {
    let chunkLength = max(8, 16384 / inner)
    let isWide = outer >= 16 || outer * length * inner < 65536
    guard !isWide, length >= 2 * chunkLength else {
      return [
        parallelLoop(over: outer, minimum: 32768 / (length * inner) + 1) { range, _ in
          for o in range {
            reduceColumns(kind, source + o * length * inner, rows: length, columns: inner, target + o * inner)
          }
        }
      ]
    }
    let chunks = (length + chunkLength - 1) / chunkLength
    let partial = try backend.allocate(outer * chunks * inner * MemoryLayout<Float>.stride)
    keptBuffers.append(partial)
    let partials = partial.base.assumingMemoryBound(to: Float.self)
    return [
      parallelLoop(over: outer * chunks) { range, _ in
        for index in range {
          let (o, first) = (index / chunks, index % chunks * chunkLength)
          reduceColumns(
            kind, source + (o * length + first) * inner, rows: min(chunkLength, length - first), columns: inner,
            partials + index * inner)
        }
      },
      {
        for o in 0..<outer {
          reduceColumns(kind, partials + o * chunks * inner, rows: chunks, columns: inner, target + o * inner)
        }
      },
    ]
  }
}

extension ArgMax: CPUOperation {
  /// Index of the first maximum along `axis`.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let shape = invocation.inputs[0].shape
    let inner = shape[(axis + 1)...].reduce(1, *)
    let length = shape[axis]
    let x = invocation.inputs[0].floats
    let y = invocation.output.base.assumingMemoryBound(to: Int32.self)
    return parallelLoop(over: invocation.output.count, minimum: 16384 / length + 1) { range, _ in
      for target in range {
        let first = x + (target / inner * inner * length + target % inner)
        var best = 0
        for i in 0..<length {
          if Numerics.isGreater(first[i * inner], than: first[best * inner]) { best = i }
        }
        y[target] = Int32(best)
      }
    }
  }
}

/// Columns of a matrix reduced.
private func reduceColumns(
  _ kind: apus_reduction, _ x: UnsafeMutablePointer<Float>, rows: Int, columns: Int, _ y: UnsafeMutablePointer<Float>
) {
  let identity: Float = kind == APUS_REDUCE_MAXIMUM ? -.infinity : 0
  guard rows > 0 else { return y.update(repeating: identity, count: columns) }
  apus_reduce_columns(kind, x, Int64(rows), Int64(columns), y)
}

/// Neighbouring axes that are all reduced or all kept.
struct AxisGroup {
  var size: Int
  let isReduced: Bool

  static func groups(of shape: [Int], reducing axes: [Int]) -> [AxisGroup] {
    var groups: [AxisGroup] = []
    for (axis, size) in shape.enumerated() where size != 1 {
      let isReduced = axes.contains(axis)
      if groups.last?.isReduced == isReduced {
        groups[groups.count - 1].size *= size
      } else {
        groups.append(AxisGroup(size: size, isReduced: isReduced))
      }
    }
    return groups
  }
}
