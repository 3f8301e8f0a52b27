import ApusCore

extension OpenCLBackend {
  /// The loss of each row. Inputs: logits, labels.
  func crossEntropy(_ attributes: CrossEntropy, _ call: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
    try rows("softmax_cross_entropy", columns: call.inputs[0].type.shape[1], defines(attributes), call)
  }

  /// The gradient of the logits. Inputs: logits, labels, gradient of the losses.
  func crossEntropyGradient(
    _ attributes: CrossEntropy, _ call: Invocation<OpenCLBuffer>
  ) throws(BackendError) -> OpenCLKernel {
    try rows("softmax_cross_entropy_gradient", columns: call.inputs[0].type.shape[1], defines(attributes), call)
  }

  private func defines(_ attributes: CrossEntropy) -> Defines {
    var defines: Defines = ["DENSE_LABELS": attributes.isSparse ? 0 : 1]
    defines.define("SMOOTHING", attributes.labelSmoothing.floatLiteral)
    return defines
  }
}

extension CrossEntropyPass: OpenCLOperation {
  var takesEpilogue: Bool { isGradient }

  func kernel(_ call: Invocation<OpenCLBuffer>, on backend: OpenCLBackend) throws(BackendError) -> OpenCLKernel {
    isGradient ? try backend.crossEntropyGradient(loss, call) : try backend.crossEntropy(loss, call)
  }
}
