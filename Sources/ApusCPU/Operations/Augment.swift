import ApusCore
internal import CThreads
internal import CVector

extension Augment: CPUOperation {
  var takesEpilogue: Bool { true }

  /// Pictures on all threads.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let (x, y) = (invocation.inputs[0], invocation.output.floats)
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    let count = height * width * channels
    let edits = invocation.inputs[1].floats
    let scratch = backend.workScratch
    let stride = readsNeighbours ? count.roundedUpToLine : 0
    try scratch.reserve(
      Int(apus_thread_count()) * stride * MemoryLayout<Float>.stride, limit: backend.device.memoryBytes)
    let epilogue = try backend.epilogueProgram(invocation)
    let (base, byteCount) = (x.base, count * x.type.dtype.byteCount)
    return parallelLoop(over: x.shape[0], minimum: 4096 / count + 1) { [slots, white] pictures, part in
      let work = stride > 0 ? scratch.floats(part: part, stride: stride) : nil
      for n in pictures {
        apus_augment(
          x.type.dtype == .uint8, base + n * byteCount, edits + n * slots * EditCode.stride, y + n * count, work,
          Int32(slots), white, Int32(height), Int32(width), Int32(channels))
        epilogue?.run((n * count)..<((n + 1) * count), part: part)
      }
    }
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void { invocation.referenceAugment(self) }
}
