import ApusCore

extension Transpose: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let view = View(call.inputs[0].type.shape).transposed(permutation).merged
    guard let (batch, height, width) = view.swap else {
      let copy = StridedCopy(from: view, to: View(view.sizes))
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
    let output = call.output.type.shape
    let source = View(call.inputs[0].type.shape).sliced(starts: starts, sizes: output, steps: steps)
    let copy = StridedCopy(from: source, to: View(output))
    return OpenCLKernel([try backend.launch(copy, call.inputs[0], call)])
  }
}

extension Concatenation: OpenCLOperation {
  /// One copy an input, beside each other.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let places = places(of: call.inputs.map(\.type.shape))
    var launches: [OpenCLLaunch] = []
    for (input, place) in zip(call.inputs, places) where input.type.count > 0 {
      launches.append(try backend.launch(StridedCopy(from: View(input.type.shape), to: place), input, call))
    }
    return OpenCLKernel(launches)
  }
}

extension Pad: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let (input, output) = (call.inputs[0].type.shape, call.output.type.shape)
    let copy = StridedCopy(
      from: View(input).sliced(starts: before.map { -$0 }, sizes: output), to: View(output),
      margins: zip(before, input).map { $0 })
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

extension View {
  /// Of a merged transposition batch, height and width where it swaps the last two axes and nothing else.
  fileprivate var swap: (Int, Int, Int)? {
    switch sizes.count {
    case 2: (1, sizes[1], sizes[0])
    case 3 where strides[0] == sizes[1] * sizes[2]: (sizes[0], sizes[2], sizes[1])
    default: nil
    }
  }
}

/// A copy between strided arrays of one shape, as the macros of `shaping.cl`.
private struct StridedCopy {
  private(set) var defines: Defines = [:]
  /// Vectors to copy.
  let count: Int

  /// - Parameters:
  ///   - source, destination: walks of one shape.
  ///   - margins: for each axis, the first index that the source has and its number of indices there.
  init(from source: View, to destination: View, margins: [(before: Int, size: Int)]? = nil) {
    // Vectors run along the innermost axis that has more than one element.
    let sizes = destination.sizes
    let innermost = sizes.lastIndex { $0 != 1 }
    var width = 1
    if let axis = innermost, source.strides[axis] == 1, destination.strides[axis] == 1,
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
    func element(_ view: View) -> String {
      IndexMap(View(sizes: vectors, strides: scaled(view.strides) { $0 * width }, offset: view.offset)).source("i")
    }
    defines.define("SOURCE(i)", element(source))
    defines.define("DESTINATION(i)", element(destination))
    guard let margins else { return }
    let strides = vectors.rowMajorStrides
    let tests = vectors.indices.filter { margins[$0].size != sizes[$0] }.map { axis in
      let coordinate = "(i) / \(strides[axis]) % \(vectors[axis])"
      return "\(coordinate) >= \(margins[axis].before) && \(coordinate) < \(margins[axis].before + margins[axis].size)"
    }
    defines.define("INSIDE(i)", tests.isEmpty ? "1" : tests.joined(separator: " && "))
  }
}
