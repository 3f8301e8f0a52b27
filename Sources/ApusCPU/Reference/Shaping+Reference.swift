import ApusCore

extension Transpose {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    return invocation.referenceView(from: 0, strides: permutation.map { strides[$0] })
  }
}

extension Slice {
  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let strides = invocation.inputs[0].shape.rowMajorStrides
    let first = zip(starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return invocation.referenceView(from: first, strides: zip(steps, strides).map { $0 * $1 })
  }
}

extension Concatenation {
  /// The inputs side by side along `axis`.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let strides = invocation.output.shape.rowMajorStrides
    let y = Elements(invocation.output)
    let parts = invocation.inputs.map { (shape: $0.shape, elements: Elements($0)) }
    return {
      var first = 0
      for part in parts {
        for source in 0..<part.shape.elementCount {
          y[first + stridedOffset(source, part.shape, strides)] = part.elements[source]
        }
        first += part.shape[axis] * strides[axis]
      }
    }
  }
}

extension Pad {
  /// The input with cells of one value around it.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let strides = invocation.output.shape.rowMajorStrides
    let first = zip(before, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let shape = invocation.inputs[0].shape
    let count = invocation.output.count
    let (x, y) = (Elements(invocation.inputs[0]), Elements(invocation.output))
    return {
      for target in 0..<count { y[target] = value }
      for source in 0..<shape.elementCount { y[first + stridedOffset(source, shape, strides)] = x[source] }
    }
  }
}

extension Invocation<CPUBuffer> {
  fileprivate func referenceView(from first: Int, strides: [Int]) -> () -> Void {
    let shape = output.shape
    let (x, y) = (Elements(inputs[0]), Elements(output))
    return {
      for target in 0..<shape.elementCount { y[target] = x[first + stridedOffset(target, shape, strides)] }
    }
  }
}
