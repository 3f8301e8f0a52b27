import ApusCore

extension Transpose: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let view = PermutationView(call.inputs[0].type.shape, permutation)
    guard let (batch, height, width) = view.swap else {
      let copy = StridedCopy(sizes: view.sizes, source: view.strides, destination: view.sizes.rowMajorStrides)
      return OpenCLKernel([try backend.launch(copy, call.inputs[0], call)])
    }
    var defines: Defines = ["BATCH": batch, "HEIGHT": height, "WIDE": width]
    defines.define("TYPE", call.output.type.dtype.openCLName)
    let global: [Int]
    let local: [Int]
    switch backend.kernelClass {
    case .cpu: (global, local) = ([batch * height.dividedRoundingUp(by: 16)], [1])
    case .gpu:
      global = [width.roundedUp(toMultipleOf: 16), height.roundedUp(toMultipleOf: 16), batch]
      local = [16, 16, 1]
    }
    return OpenCLKernel([
      try backend.launch(
        backend.source(["shaping"], defines, for: call), "shaping_transpose",
        [call.inputs[0].buffer, call.output.buffer],
        global: global, local: local)
    ])
  }
}

extension Slice: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let (input, output) = (call.inputs[0].type.shape, call.output.type.shape)
    let strides = input.rowMajorStrides
    let copy = StridedCopy(
      sizes: output, source: zip(strides, steps).map(*), destination: output.rowMajorStrides,
      sourceStart: zip(strides, starts).reduce(0) { $0 + $1.0 * $1.1 })
    return OpenCLKernel([try backend.launch(copy, call.inputs[0], call)])
  }
}

extension Concatenation: OpenCLOperation {
  /// One copy an input, beside each other.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let strides = call.output.type.shape.rowMajorStrides
    var start = 0
    var launches: [OpenCLLaunch] = []
    for input in call.inputs where input.type.count > 0 {
      let copy = StridedCopy(
        sizes: input.type.shape, source: input.type.shape.rowMajorStrides, destination: strides,
        destinationStart: start * strides[axis])
      launches.append(try backend.launch(copy, input, call))
      start += input.type.shape[axis]
    }
    return OpenCLKernel(launches)
  }
}

extension Pad: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let (input, output) = (call.inputs[0].type.shape, call.output.type.shape)
    let strides = input.rowMajorStrides
    let copy = StridedCopy(
      sizes: output, source: strides, destination: output.rowMajorStrides,
      sourceStart: -zip(strides, before).reduce(0) { $0 + $1.0 * $1.1 }, margins: zip(before, input).map { $0 })
    let isInteger = !call.output.type.dtype.isFloatingPoint
    return OpenCLKernel([
      try backend.launch(copy, call.inputs[0], call, fill: isInteger ? "\(Int(value))" : value.floatLiteral)
    ])
  }
}

extension OpenCLBackend {
  /// A launch of `shaping_copy`, or of `shaping_pad` where there is something to fill.
  fileprivate func launch(
    _ copy: StridedCopy, _ input: Operand<OpenCLBuffer>, _ call: Invocation<OpenCLBuffer>, fill: String? = nil
  ) throws(BackendError) -> OpenCLLaunch {
    var defines = copy.defines
    defines.define("TYPE", call.output.type.dtype.openCLName)
    if let fill { defines.define("FILL", fill) }
    return try launch(
      source(["shaping"], defines, for: call), fill == nil ? "shaping_copy" : "shaping_pad",
      [input.buffer, call.output.buffer], each: copy.count)
  }
}

/// A transposition with neighbouring axes that stay together joined.
private struct PermutationView {
  /// Sizes of the result's axes, and their strides in the input.
  private(set) var sizes: [Int] = []
  private(set) var strides: [Int] = []
  /// Batch, height and width where the last two axes of the input are swapped and nothing else.
  private(set) var swap: (Int, Int, Int)?

  init(_ shape: [Int], _ permutation: [Int]) {
    let all = shape.rowMajorStrides
    for axis in permutation where shape[axis] != 1 {
      if let last = strides.last, last == all[axis] * shape[axis] {
        sizes[sizes.count - 1] *= shape[axis]
        strides[strides.count - 1] = all[axis]
      } else {
        sizes.append(shape[axis])
        strides.append(all[axis])
      }
    }
    switch sizes.count {
    case 2: swap = (1, sizes[1], sizes[0])
    case 3 where strides[0] == sizes[1] * sizes[2]: swap = (sizes[0], sizes[2], sizes[1])
    default: break
    }
  }
}

/// A copy between strided arrays of one shape, as the macros of `shaping.cl`.
private struct StridedCopy {
  private(set) var defines: Defines = [:]
  /// Vectors to copy.
  let count: Int

  /// - Parameters:
  ///   - source, destination: strides of each axis.
  ///   - margins: for each axis, the first index that the source has and its number of indices there.
  init(
    sizes: [Int], source: [Int], destination: [Int], sourceStart: Int = 0, destinationStart: Int = 0,
    margins: [(before: Int, size: Int)]? = nil
  ) {
    // Vectors run along the innermost axis that has more than one element.
    let innermost = sizes.lastIndex { $0 != 1 }
    var width = 1
    if let axis = innermost, source[axis] == 1, destination[axis] == 1,
      margins.map({ $0[axis].size == sizes[axis] }) ?? true
    {
      width = [16, 8, 4].first { sizes[axis] % $0 == 0 } ?? 1
    }
    func scaled(_ values: [Int], _ scale: (Int) -> Int) -> [Int] {
      values.enumerated().map { $0.offset == innermost ? scale($0.element) : $0.element }
    }
    let vectors = scaled(sizes) { $0 / width }
    count = vectors.reduce(1, *)
    defines["COUNT"] = count
    defines["WIDTH"] = width
    func offset(_ strides: [Int], _ start: Int) -> String {
      let map = IndexMap(Array(zip(vectors, scaled(strides) { $0 * width })))
      return start == 0 ? map.source("i") : "\(map.source("i")) + \(start)"
    }
    defines.define("SOURCE(i)", offset(source, sourceStart))
    defines.define("DESTINATION(i)", offset(destination, destinationStart))
    guard let margins else { return }
    let strides = vectors.rowMajorStrides
    let tests = vectors.indices.filter { margins[$0].size != sizes[$0] }.map { axis in
      let coordinate = "(i) / \(strides[axis]) % \(vectors[axis])"
      return "\(coordinate) >= \(margins[axis].before) && \(coordinate) < \(margins[axis].before + margins[axis].size)"
    }
    defines.define("INSIDE(i)", tests.isEmpty ? "1" : tests.joined(separator: " && "))
  }
}
