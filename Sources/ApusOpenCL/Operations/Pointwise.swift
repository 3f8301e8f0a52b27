import ApusCore

extension OpenCLBackend {
  /// `expr` of every element, inputs broadcast.
  func pointwise(_ expr: Expr, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let elements = PointwiseElements(
      [expr], inputs: call.inputs.map(\.type), result: call.output.type, targets: nil)
    return try pointwise(elements, call, arguments: call.inputs.map(\.buffer) + [call.output.buffer])
  }

  /// New values of parameters, computed and written in one launch.
  func update(_ update: Update, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let elements = PointwiseElements(
      update.expressions, inputs: call.inputs.map(\.type), result: call.output.type, targets: update.targets)
    return try pointwise(elements, call, arguments: call.inputs.map(\.buffer))
  }

  private func pointwise(
    _ elements: PointwiseElements, _ call: Invocation<OpenCLBuffer>, arguments: [OpenCLBuffer]
  ) throws(BackendError) -> OpenCLKernel {
    var defines = elements.defines
    var numbers = OpenNumbers(factors: elements.factors)
    let (rows, columns) = (elements.rows, elements.columns)
    let global: [Int]
    let local: [Int]
    switch kernelClass {
    case .cpu:
      // Work-items of equal cost, some for each core; fewer, longer ones where there is little to do.
      let items = min(device.computeUnits * 8, (rows * columns).dividedRoundingUp(by: 2048))
      let rowsPerItem = rows == 1 ? 1 : rows.dividedRoundingUp(by: items)
      let chunk = rows == 1 ? columns.dividedRoundingUp(by: items).roundedUp(toMultipleOf: 16) : columns
      defines["LONG_ROWS"] = columns >= 16 ? 1 : 0
      numbers.sizes = [rows, columns, rowsPerItem, chunk]
      global = [rows.dividedRoundingUp(by: rowsPerItem) * columns.dividedRoundingUp(by: chunk)]
      local = [1]
    case .gpu:
      let width = columns % 4 == 0 ? 4 : 1
      defines["WIDTH"] = width
      numbers.sizes = [rows, columns]
      local = [groupSize]
      global = [(rows * columns / width).roundedUp(toMultipleOf: groupSize)]
    }
    let files = elements.isRandom ? ["philox", "pointwise"] : ["pointwise"]
    return OpenCLKernel([
      try launch(source(files, defines, for: call), "pointwise", arguments, numbers, global: global, local: local)
    ])
  }
}

/// Expressions and their operands as the macros of `pointwise.cl`.
private struct PointwiseElements {
  private(set) var defines: Defines = [:]
  /// Constants of the expressions that are bound by value: they may come from a shape.
  private(set) var factors: [Double] = []
  let rows: Int
  let columns: Int
  let isRandom: Bool

  /// Constants that no shape makes and that compilers may make use of.
  private static let literals: Set<Double> = [0, 0.5, 1, 2]

  /// - Parameter targets: inputs that the expressions replace; `nil` for one result of its own.
  init(_ expressions: [Expr], inputs: [TensorType], result: TensorType, targets: [Int]?) {
    let states = expressions.reduce(into: Set<Int>()) { $0.formUnion($1.randomStates) }
    let view = BroadcastView(inputs.indices.map { states.contains($0) ? [] : inputs[$0].shape }, result: result.shape)
    rows = view.rows
    columns = view.columns
    isRandom = !states.isEmpty

    let parameters = inputs.enumerated().map { slot, type in
      let isTarget = targets?.contains(slot) ?? false
      return "__global \(isTarget ? "" : "const ")\(type.dtype.openCLName) *x\(slot)"
    }
    defines.define("PARAMETERS", (parameters + (targets == nil ? ["__global float *y"] : [])).joined(separator: ", "))
    let offsets = view.offsets.enumerated().map { slot, offset in
      if case .row(let source) = offset { "const INDEX o\(slot) = \(source);" } else { "" }
    }
    defines.define("OFFSETS(row)", offsets.joined(separator: " "))

    var factors: [Double] = []
    let source = ExprSource(
      expressions, type: "VEC(n)",
      input: { slot in
        switch view.offsets[slot] {
        case .single: "(VEC(n))((float)x\(slot)[0])"
        case .full: "READ(n, x\(slot), index)"
        case .row where view.isContiguous[slot]: "READ(n, x\(slot), o\(slot) + (column))"
        case .row: "(VEC(n))((float)x\(slot)[o\(slot)])"
        }
      },
      random: { state, stream in
        "philox_uniform##n((uint)x\(state)[0], (uint)x\(state)[1], \(stream)u, (ulong)(index))"
      },
      constant: { value in
        if Self.literals.contains(abs(value)) || !value.isFinite { return value.floatLiteral }
        if !factors.contains(value) { factors.append(value) }
        return "f\(factors.firstIndex(of: value)!)"
      })
    self.factors = factors
    defines.define("FACTORS", factors.indices.map { ", const float f\($0)" }.joined())
    let destinations = targets.map { $0.map { "x\($0)" } } ?? ["y"]
    let writes = zip(source.results, destinations).map { "WRITE(n, \($0), \($1), index);\n" }.joined()
    defines.define("ELEMENTS(n, index, column)", "{\n\(source.statements)\(writes)}")
  }
}

extension Pointwise: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    try backend.pointwise(expr, call)
  }
}

extension Update: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    try backend.update(self, call)
  }
}
