import ApusCore

extension Transpose {
  /// Axis i of the result is axis `permutation[i]` of the input.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referenceCopy(of: View(invocation.inputs[0].shape).transposed(permutation))
  }
}

extension Slice {
  /// `y[i, j, ...] = x[starts[0] + i*steps[0], ...]`
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    invocation.referenceCopy(
      of: View(invocation.inputs[0].shape).sliced(starts: starts, sizes: invocation.output.shape, steps: steps))
  }
}

extension Concatenation {
  /// The inputs side by side along `axis`.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let y = Elements(invocation.output)
    let parts = zip(invocation.inputs.map(Elements.init), places(of: invocation.inputs.map(\.shape)))
    return {
      for (elements, place) in parts {
        for source in 0..<place.sizes.elementCount { y[place.element(source)] = elements[source] }
      }
    }
  }
}

extension Pad {
  /// The input with cells of one value around it.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let place = View(invocation.output.shape).sliced(starts: before, sizes: invocation.inputs[0].shape)
    let count = invocation.output.count
    let (x, y) = (Elements(invocation.inputs[0]), Elements(invocation.output))
    return {
      for target in 0..<count { y[target] = value }
      for source in 0..<place.sizes.elementCount { y[place.element(source)] = x[source] }
    }
  }
}

extension Invocation<CPUBuffer> {
  fileprivate func referenceCopy(of view: View) -> () -> Void {
    let (x, y) = (Elements(inputs[0]), Elements(output))
    return {
      for target in 0..<view.sizes.elementCount { y[target] = x[view.element(target)] }
    }
  }
}
