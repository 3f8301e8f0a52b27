import ApusCore

extension Transpose: CPUOperation {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    invocation.copy(of: View(invocation.inputs[0].shape).transposed(permutation))
  }
}

extension Slice: CPUOperation {
  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    invocation.copy(
      of: View(invocation.inputs[0].shape).sliced(starts: starts, sizes: invocation.output.shape, steps: steps))
  }
}

extension Concatenation: CPUOperation {
  /// The inputs side by side along `axis`.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let places = places(of: invocation.inputs.map(\.shape))
    let copies = zip(invocation.inputs, places).filter { $0.0.count > 0 }.map { input, place in
      StridedCopy(
        elementSize: input.type.dtype.byteCount, from: input.base, View(input.shape), to: invocation.output.base, place
      ).loop()
    }
    return { for copy in copies { copy() } }
  }
}

extension Pad: CPUOperation {
  /// The input with cells of one value around it.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let (input, output) = (invocation.inputs[0], invocation.output)
    let copy = StridedCopy(
      elementSize: input.type.dtype.byteCount, from: input.base, View(input.shape), to: output.base,
      View(output.shape).sliced(starts: before, sizes: input.shape)
    ).loop()
    let elements = Elements(output)
    let float = Float(value)
    let isFloat = output.type.dtype == .float32
    let fill = parallelLoop(over: output.count, minimum: 32768) { range, _ in
      if isFloat {
        (output.floats + range.lowerBound).update(repeating: float, count: range.count)
      } else {
        for index in range { elements[index] = value }
      }
    }
    return {
      fill()
      copy()
    }
  }
}

extension Invocation<CPUBuffer> {
  /// Copies the elements of the operand that `view` walks over.
  fileprivate func copy(of view: View) -> CPUKernel.Body {
    StridedCopy(
      elementSize: inputs[0].type.dtype.byteCount, from: inputs[0].base, view, to: output.base, View(output.shape)
    ).loop()
  }
}
