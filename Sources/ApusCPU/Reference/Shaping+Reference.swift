import ApusCore

extension Invocation<CPUBuffer> {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func referenceTranspose(_ permutation: [Int]) -> () -> Void {
    let strides = inputs[0].shape.rowMajorStrides
    return referenceView(from: 0, strides: permutation.map { strides[$0] })
  }

  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func referenceSlice(_ slice: Slice) -> () -> Void {
    let strides = inputs[0].shape.rowMajorStrides
    let first = zip(slice.starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    return referenceView(from: first, strides: zip(slice.steps, strides).map { $0 * $1 })
  }

  private func referenceView(from first: Int, strides: [Int]) -> () -> Void {
    let shape = output.shape
    let (x, y) = (Elements(inputs[0]), Elements(output))
    return {
      for target in 0..<shape.elementCount { y[target] = x[first + stridedOffset(target, shape, strides)] }
    }
  }

  /// The inputs side by side along `axis`.
  func referenceConcat(_ axis: Int) -> () -> Void {
    let strides = output.shape.rowMajorStrides
    let y = Elements(output)
    let parts = inputs.map { (shape: $0.shape, elements: Elements($0)) }
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

  /// The input with cells of one value around it.
  func referencePad(_ pad: Pad) -> () -> Void {
    let strides = output.shape.rowMajorStrides
    let first = zip(pad.before, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let shape = inputs[0].shape
    let count = output.count
    let (x, y) = (Elements(inputs[0]), Elements(output))
    return {
      for target in 0..<count { y[target] = pad.value }
      for source in 0..<shape.elementCount { y[first + stridedOffset(source, shape, strides)] = x[source] }
    }
  }
}
