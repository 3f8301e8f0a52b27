import ApusCore
internal import CVector

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension SoftmaxKind: CPUOperation {
  var takesEpilogue: Bool { true }

  /// Softmax or its logarithm along the last axis: rows on all threads.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let classes = invocation.output.shape.last ?? 1
    let (x, y) = (invocation.inputs[0].floats, invocation.output.floats)
    let epilogue = try backend.epilogueProgram(invocation)
    return parallelLoop(over: invocation.output.count / classes, minimum: 4096 / classes + 1) { rows, part in
      for row in rows {
        let (source, target) = (x + row * classes, y + row * classes)
        let maximum = apus_reduce(APUS_REDUCE_MAXIMUM, source, Int64(classes))
        switch self {
        case .softmax:
          let sum = apus_exp_shifted(source, maximum, target, Int64(classes))
          apus_scale(target, 1 / sum, 0, target, Int64(classes))
        case .logSoftmax:
          let logSum = log(apus_sum_exp_shifted(source, maximum, Int64(classes)))
          apus_shift_twice(source, maximum, logSum, target, Int64(classes))
        }
      }
      epilogue?.run((rows.lowerBound * classes)..<(rows.upperBound * classes), part: part)
    }
  }
}
