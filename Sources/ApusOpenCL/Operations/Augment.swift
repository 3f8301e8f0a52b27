import ApusCore

extension Augment: OpenCLOperation {
  func prepare(_ request: KernelRequest, on backend: OpenCLBackend) -> Prepared? {
    Prepared(
      workspaceByteCount: readsNeighbours ? request.result.count * MemoryLayout<Float>.stride : 0, takesEpilogue: true)
  }

  /// A work-item, or on GPU-class devices a work-group, for each picture.
  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    let (x, epilogue) = (call.inputs[0].type, Epilogue(call))
    var defines: Defines = [
      "HEIGHT": x.shape[1], "WIDTH": x.shape[2], "CHANNELS": x.shape[3], "SLOTS": slots, "EDIT": EditCode.stride,
      "NEIGHBOURS": readsNeighbours ? 1 : 0,
    ]
    defines.define("WHITE", Double(white).floatLiteral)
    defines.define("SOURCE_TYPE", x.dtype.openCLName)
    let group = backend.kernelClass == .gpu ? backend.groupSize : 1
    if group > 1 { defines["GROUP"] = group }
    let source = try backend.source(
      backend.treeFiles("augment_move") + ["augment"], defines, for: call, epilogue: epilogue)
    let arguments =
      call.inputs.map(\.buffer) + [call.output.buffer] + (readsNeighbours ? [call.workspace!] : [])
      + epilogue.arguments
    return OpenCLKernel([
      try backend.launch(source, "augment", arguments, global: [x.shape[0] * group], local: [group])
    ])
  }
}
