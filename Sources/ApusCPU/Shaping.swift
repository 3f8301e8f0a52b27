import ApusCore

extension Transpose: CPUOperation {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    return invocation.view(from: 0, strides: permutation.map { strides[$0] })
  }
}

extension Slice: CPUOperation {
  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    return invocation.view(from: dotProduct(starts, strides), strides: zip(steps, strides).map { $0 * $1 })
  }
}

extension Concatenation: CPUOperation {
  /// The inputs side by side along `axis`.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
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
}

extension Pad: CPUOperation {
  /// The input with cells of one value around it.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let (input, output) = (invocation.inputs[0], invocation.output)
    let strides = output.shape.rowMajorStrides
    let copy = StridedCopy(
      shape: input.shape, elementSize: input.type.dtype.byteCount, from: input.base, at: 0,
      strides: input.shape.rowMajorStrides, to: output.base, at: dotProduct(before, strides), strides: strides
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
  /// Copies the elements of the operand that lie at `first` and from there on in strides.
  fileprivate func view(from first: Int, strides: [Int]) -> CPUKernel.Body {
    StridedCopy(
      shape: output.shape, elementSize: inputs[0].type.dtype.byteCount, from: inputs[0].base, at: first,
      strides: strides, to: output.base, at: 0, strides: output.shape.rowMajorStrides
    ).loop()
  }
}

private func dotProduct(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
