import ApusCore

extension Reduction: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    if request.operands[0].count == 0 { return Prepared(takesEpilogue: true) }
    let view = ReductionView(request.operands[0].shape, axes: axes)
    // The kernel's channel is the column.
    let indexesChannels = view.inner != 1 && view.inner == request.result.shape.last
    var prepared = Prepared(takesEpilogue: indexesChannels || !request.hasChannelOperand)
    if view.strided == nil {
      let tile = ReductionTile(view, on: backend)
      prepared.schedule = tile
      prepared.workspaceByteCount = tile.splits == 1 ? 0 : tile.splits * view.outer * view.inner * 4
    }
    return prepared
  }

  /// Sum, mean or maximum over axes.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    if call.inputs[0].type.count == 0 { return try backend.zeros(call) }
    let view = ReductionView(call.inputs[0].type.shape, axes: axes)
    let epilogue = Epilogue(call)
    var defines: Defines = ["REDUCE_MAX": kind == .max ? 1 : 0, "REDUCE": view.reduce]
    if kind == .mean { defines.define("SCALE", (1 / Double(view.reduce)).floatLiteral) }
    let (x, y) = (call.inputs[0].buffer, call.output.buffer)

    if let offsets = view.strided {
      defines["COUNT"] = call.output.type.count
      defines.define("KEPT(i)", offsets.kept)
      defines.define("REDUCED(r)", offsets.reduced)
      let source = try backend.source(["reduce"], defines, for: call, epilogue: epilogue)
      return OpenCLKernel([
        try backend.launch(source, "reduce_strided", [x, y] + epilogue.arguments, each: call.output.type.count)
      ])
    }
    let tile = call.chosen(ReductionTile.self)
    defines.append(view.defines)
    defines.append(tile.defines)
    let source = try backend.source(backend.treeFiles("reduce"), defines, for: call, epilogue: epilogue)
    let (global, local) = ([tile.global], [tile.local])
    if tile.splits == 1 {
      return OpenCLKernel([
        try backend.launch(source, "reduce_direct", [x, y] + epilogue.arguments, global: global, local: local)
      ])
    }
    let workspace = call.workspace!
    return OpenCLKernel([
      try backend.launch(source, "reduce_partial", [x, workspace], global: global, local: local),
      try backend.launch(source, "reduce_finish", [workspace, y] + epilogue.arguments, each: view.outer * view.inner),
    ])
  }
}

extension ArgMax: OpenCLOperation {
  /// Index of the first maximum along an axis.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let view = ReductionView(call.inputs[0].type.shape, axes: [axis])
    var defines = view.defines
    defines["REDUCE"] = view.reduce
    defines["ARGMAX"] = 1
    let source = try backend.source(["reduce"], defines, for: call)
    return OpenCLKernel([
      try backend.launch(
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
      let all = View(shape)
      let kept = shape.indices.filter { !axes.contains($0) }
      strided = (IndexMap(all.axes(kept)).source("i"), IndexMap(all.axes(reduced)).source("r"))
    }
  }

  var defines: Defines { ["OUTER": outer, "INNER": inner] }
}

/// How `reduce.cl` divides a reduction among work-items.
private struct ReductionTile: KernelSchedule {
  private(set) var defines: Defines = [:]
  /// Parts of the reduced axis; each has a copy of the result in the workspace.
  let splits: Int
  let global: Int
  let local: Int

  var name: String { splits == 1 ? "one launch" : "\(splits) parts" }

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
