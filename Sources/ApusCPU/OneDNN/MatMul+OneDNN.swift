#if OneDNN
  import ApusCore
  internal import COneDNN

  extension MatMul {
    /// A product in oneDNN, with bias and ReLU where the epilogue is no more than these.
    func nativeBody(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body
    {
      let shape = MatMulShape(self, a: invocation.inputs[0].shape, result: invocation.output.shape)
      let native = NativeEpilogue(invocation).flatMap { $0.addend == nil ? $0 : nil }
      let sizes = apus_product(
        batch: Int64(shape.batch), m: Int64(shape.m), n: Int64(shape.n), k: Int64(shape.k),
        transpose_a: transposeA, transpose_b: transposeB, relu: native?.relu ?? false)
      let primitive = try backend.library().product(
        sizes, a: invocation.inputs[0].floats, b: invocation.inputs[1].floats, bias: native?.bias,
        c: invocation.output.floats, label: invocation.description)
      let epilogue = native == nil ? try backend.epilogueProgram(invocation) : nil
      return try backend.body(primitive, then: epilogue, over: invocation.output.count)
    }
  }
#endif
