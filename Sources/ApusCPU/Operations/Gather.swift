import ApusCore
internal import CVector

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

  /// Each row of the table gets the sum, by halves, of the gradients of the rows gathered from it, which are listed
  /// row by row first.
  func gatherGradient(_ invocation: Invocation<CPUBuffer>) throws(BackendError) -> CPUKernel.Body {
    let rowCount = invocation.output.shape[0]
    let width = invocation.output.shape.dropFirst().reduce(1, *)
    let batch = invocation.inputs[1].count
    let indices = invocation.inputs[1].base.assumingMemoryBound(to: Int32.self)
    let (dy, dx) = (invocation.inputs[0].floats, invocation.output.floats)
    let epilogue = try epilogueProgram(invocation)
    // Ends of the rows' lists, then the lists.
    let listed = try allocate((rowCount + batch) * MemoryLayout<Int64>.stride)
    let ends = listed.base.assumingMemoryBound(to: Int64.self)
    let list = ends + rowCount
    let sum = parallelLoop(over: rowCount, minimum: 16384 / max(width, 1) + 1) { rows, part in
      for row in rows {
        let first = row == 0 ? 0 : ends[row - 1]
        apus_sum_listed(dy, list + Int(first), ends[row] - first, Int64(width), dx + row * width)
      }
      epilogue?.run((rows.lowerBound * width)..<(rows.upperBound * width), part: part)
    }
    return { [listed] in
      withExtendedLifetime(listed) {
        ends.update(repeating: 0, count: rowCount)
        let isRow = { (index: Int32) in index >= 0 && index < rowCount }
        for b in 0..<batch where isRow(indices[b]) { ends[Int(indices[b])] += 1 }
        var first: Int64 = 0
        for row in 0..<rowCount {
          (ends[row], first) = (first, first + ends[row])
        }
        for b in 0..<batch where isRow(indices[b]) {
          list[Int(ends[Int(indices[b])])] = Int64(b)
          ends[Int(indices[b])] += 1
        }
        sum()
      }
    }
  }
}

extension GatherPass: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    self == .gradient ? try backend.gatherGradient(invocation) : try backend.gather(invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    self == .gradient ? invocation.referenceGatherGradient() : invocation.referenceGather()
  }
}
