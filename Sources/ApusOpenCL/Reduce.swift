import ApusCore

extension OpenCLBackend {
  /// Sum, mean or maximum over axes.
  func reduce(_ reduction: Reduction, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    if call.inputs[0].type.count == 0 { return try zeros(call) }
    let view = ReductionView(call.inputs[0].type.shape, axes: reduction.axes)
    // The kernel's channel is the column.
    if call.hasChannelOperand, view.inner == 1 || view.inner != call.output.type.shape.last {
      return try epilogueApart(call) { call throws(BackendError) in try reduce(reduction, call) }
    }
    let epilogue = Epilogue(call)
    var defines: Defines = ["REDUCE_MAX": reduction.kind == .max ? 1 : 0, "REDUCE": view.reduce]
    if reduction.kind == .mean { defines.define("SCALE", (1 / Double(view.reduce)).floatLiteral) }
    let (x, y) = (call.inputs[0].buffer, call.output.buffer)

    if let offsets = view.strided {
      defines["COUNT"] = call.output.type.count
      defines.define("KEPT(i)", offsets.kept)
      defines.define("REDUCED(r)", offsets.reduced)
      let source = try source(["reduce"], defines, for: call, epilogue: epilogue)
      return OpenCLKernel([
        try launch(source, "reduce_strided", [x, y] + epilogue.arguments, each: call.output.type.count)
      ])
    }
    let tile = ReductionTile(view, on: self)
    defines.append(view.defines)
    defines.append(tile.defines)
    let source = try source(["reduce"], defines, for: call, epilogue: epilogue)
    let (global, local) = ([tile.global], [tile.local])
    if tile.splits == 1 {
      return OpenCLKernel([
        try launch(source, "reduce_direct", [x, y] + epilogue.arguments, global: global, local: local)
      ])
    }
    let workspace = call.workspace!
    return OpenCLKernel([
      try launch(source, "reduce_partial", [x, workspace], global: global, local: local),
      try launch(source, "reduce_finish", [workspace, y] + epilogue.arguments, each: view.outer * view.inner),
    ])
  }

  func reduceWorkspace(_ reduction: Reduction, _ inputs: [TensorType], _ output: TensorType) -> Int {
    let view = ReductionView(inputs[0].shape, axes: reduction.axes)
    if inputs[0].count == 0 || view.strided != nil { return 0 }
    let splits = ReductionTile(view, on: self).splits
    return splits == 1 ? 0 : splits * view.outer * view.inner * 4
  }

  /// Index of the first maximum along an axis.
  func argMax(_ axis: Int, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    let view = ReductionView(call.inputs[0].type.shape, axes: [axis])
    var defines = view.defines
    defines["REDUCE"] = view.reduce
    defines["ARGMAX"] = 1
    let source = try source(["reduce"], defines, for: call)
    return OpenCLKernel([
      try launch(
        source, "reduce_argmax", [call.inputs[0].buffer, call.output.buffer], each: view.outer * view.inner)
    ])
  }
}

/// A reduction as [outer, reduce, inner], reduced over the middle.
private struct ReductionView {
  var outer = 1
  var reduce = 1
  var inner = 1
  /// Offsets of a result element and of a term, where the reduced axes are not neighbours.
  private(set) var strided: (kept: String, reduced: String)?

  init(_ shape: [Int], axes: [Int]) {
    reduce = axes.reduce(1) { $0 * shape[$1] }
    let reduced = axes.filter { shape[$0] != 1 }
    guard let first = reduced.first, let last = reduced.last else {
      outer = shape.elementCount
      return
    }
    outer = shape[..<first].reduce(1, *)
    inner = shape[(last + 1)...].reduce(1, *)
    if (first...last).contains(where: { shape[$0] != 1 && !reduced.contains($0) }) {
      let strides = shape.rowMajorStrides
      let kept = shape.indices.filter { !axes.contains($0) }
      strided = (
        IndexMap(kept.map { (shape[$0], strides[$0]) }).source("i"),
        IndexMap(reduced.map { (shape[$0], strides[$0]) }).source("r")
      )
    }
  }

  var defines: Defines { ["OUTER": outer, "INNER": inner] }
}

/// How `reduce.cl` divides a reduction among work-items.
private struct ReductionTile {
  private(set) var defines: Defines = [:]
  /// Parts of the reduced axis; each has a copy of the result in the workspace.
  let splits: Int
  let global: Int
  let local: Int

  init(_ view: ReductionView, on backend: OpenCLBackend) {
    // About eight work-items (GPU-class: groups) a compute unit, of so many elements that a
    // second launch pays.
    let wanted = backend.device.computeUnits * 8
    func parts(_ side: Int) -> Int {
      let elements = view.reduce * (view.inner == 1 ? 1 : view.inner / side)
      return max(1, min(wanted.dividedRoundingUp(by: view.outer * side), elements / 16384, view.reduce))
    }
    switch backend.kernelClass {
    case .cpu:
      splits = parts(1)
      let rowsPerItem = (view.outer * splits).dividedRoundingUp(by: wanted)
      defines["ROWS_PER_ITEM"] = rowsPerItem
      (global, local) = ((view.outer * splits).dividedRoundingUp(by: rowsPerItem), 1)
    case .gpu:
      let group = backend.groupSize
      let lanes: Int
      if view.inner == 1 {
        splits = parts(1)
        let length = view.reduce / splits
        lanes = min(group, max(4, (length / 4).roundedUpToPowerOfTwo))
        global = (view.outer * splits).dividedRoundingUp(by: group / lanes) * group
      } else {
        lanes = min(group, 64, max(4, view.inner.roundedUpToPowerOfTwo))
        let tiles = view.inner.dividedRoundingUp(by: lanes)
        splits = parts(tiles)
        global = view.outer * splits * tiles * group
      }
      local = group
      defines["GROUP"] = group
      defines["LANES"] = lanes
    }
    defines["SPLITS"] = splits
  }
}

extension Reduction: OpenCLOperation {
  var takesEpilogue: Bool { true }

  func workspaceByteCount(_ inputs: [TensorType], _ output: TensorType, on backend: OpenCLBackend) -> Int {
    backend.reduceWorkspace(self, inputs, output)
  }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    try backend.reduce(self, call)
  }
}

extension ArgMax: OpenCLOperation {
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    try backend.argMax(axis, call)
  }
}
