import ApusCore

extension CPUBackend {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func transpose(_ permutation: [Int], _ invocation: Invocation<CPUBuffer>) -> CPUKernel.Body {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    return view(invocation, from: 0, strides: permutation.map { strides[$0] })
  }

  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func slice(_ slice: Slice, _ invocation: Invocation<CPUBuffer>) -> CPUKernel.Body {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    return view(
      invocation, from: dotProduct(slice.starts, strides), strides: zip(slice.steps, strides).map { $0 * $1 })
  }

  private func view(_ invocation: Invocation<CPUBuffer>, from first: Int, strides: [Int]) -> CPUKernel.Body {
    let (input, output) = (invocation.inputs[0], invocation.output)
    return StridedCopy(
      shape: output.shape, elementSize: input.type.dtype.byteCount, from: input.base, at: first, strides: strides,
      to: output.base, at: 0, strides: output.shape.rowMajorStrides
    ).loop()
  }

  /// The inputs side by side along `axis`.
  func concat(_ axis: Int, _ invocation: Invocation<CPUBuffer>) -> CPUKernel.Body {
    let output = invocation.output
    let strides = output.shape.rowMajorStrides
    var first = 0
    var copies: [() -> Void] = []
    for input in invocation.inputs where input.count > 0 {
      copies.append(
        StridedCopy(
          shape: input.shape, elementSize: input.type.dtype.byteCount, from: input.base, at: 0,
          strides: input.shape.rowMajorStrides, to: output.base, at: first, strides: strides
        ).loop())
      first += input.shape[axis] * strides[axis]
    }
    return { [copies] in for copy in copies { copy() } }
  }

  /// The input with cells of one value around it.
  func pad(_ pad: Pad, _ invocation: Invocation<CPUBuffer>) -> CPUKernel.Body {
    let (input, output) = (invocation.inputs[0], invocation.output)
    let strides = output.shape.rowMajorStrides
    let copy = StridedCopy(
      shape: input.shape, elementSize: input.type.dtype.byteCount, from: input.base, at: 0,
      strides: input.shape.rowMajorStrides, to: output.base, at: dotProduct(pad.before, strides), strides: strides
    ).loop()
    let elements = Elements(output)
    let value = Float(pad.value)
    let isFloat = output.type.dtype == .float32
    let fill = parallelLoop(over: output.count, minimum: 32768) { range, _ in
      if isFloat {
        (output.floats + range.lowerBound).update(repeating: value, count: range.count)
      } else {
        for index in range { elements[index] = pad.value }
      }
    }
    return {
      fill()
      copy()
    }
  }
}

private func dotProduct(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

extension Transpose: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    backend.transpose(permutation, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referenceTranspose(permutation)
  }
}

extension Slice: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    backend.slice(self, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referenceSlice(self)
  }
}

extension Concatenation: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    backend.concat(axis, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referenceConcat(axis)
  }
}

extension Pad: CPUOperation {
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    backend.pad(self, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referencePad(self)
  }
}
