import ApusCore
internal import CThreads

extension CPUBackend {
  /// `y[b, ...] = x[indices[b], ...]`; zeros for an index out of range. With an epilogue the result is float32,
  /// whatever the table's type.
  func gather(_ invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel.Body {
    let (table, output) = (invocation.inputs[0], invocation.output)
    let rowCount = table.shape[0]
    let width = table.shape.dropFirst().reduce(1, *)
    let indices = invocation.inputs[1].base.assumingMemoryBound(to: Int32.self)
    let epilogue = try epilogueProgram(invocation)
    let (source, sourceBytes) = (table.base, width * table.type.dtype.byteCount)
    let (target, targetBytes) = (output.base, width * output.type.dtype.byteCount)
    let converts = table.type.dtype != output.type.dtype
    let dtype = table.type.dtype
    return parallelLoop(over: invocation.inputs[1].count, minimum: 16384 / max(width, 1) + 1) { rows, part in
      for b in rows {
        let row = Int(indices[b])
        let place = target + b * targetBytes
        if row < 0 || row >= rowCount {
          place.initializeMemory(as: UInt8.self, repeating: 0, count: targetBytes)
        } else if converts {
          convert(source + row * sourceBytes, dtype, 0, width, into: place.assumingMemoryBound(to: Float.self))
        } else {
          place.copyMemory(from: source + row * sourceBytes, byteCount: sourceBytes)
        }
        epilogue?.run((b * width)..<((b + 1) * width), part: part)
      }
    }
  }

  /// Each row of the table gets the sum, in order, of the gradients of the rows gathered from it: every thread has its
  /// own rows of the table and looks through all indices.
  func gatherGradient(_ invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel.Body {
    let rowCount = invocation.output.shape[0]
    let width = invocation.output.shape.dropFirst().reduce(1, *)
    let batch = invocation.inputs[1].count
    let indices = invocation.inputs[1].base.assumingMemoryBound(to: Int32.self)
    let (dy, dx) = (invocation.inputs[0].floats, invocation.output.floats)
    let epilogue = try epilogueProgram(invocation)
    return parallelLoop(over: rowCount, minimum: 16384 / max(width, 1) + 1) { rows, part in
      (dx + rows.lowerBound * width).update(repeating: 0, count: rows.count * width)
      for b in 0..<batch where rows.contains(Int(indices[b])) {
        apus_accumulate(dy + b * width, dx + Int(indices[b]) * width, Int64(width))
      }
      epilogue?.run((rows.lowerBound * width)..<(rows.upperBound * width), part: part)
    }
  }
}
