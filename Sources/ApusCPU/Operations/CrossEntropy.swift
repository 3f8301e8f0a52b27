import ApusCore
internal import CVector

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension CPUBackend {
  /// `loss[n] = -sum over c of target[n, c] * logSoftmax(logits[n])[c]`
  func crossEntropy(
    _ attributes: CrossEntropy, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let rows = LabelledRows(attributes, logits: invocation.inputs[0], labels: invocation.inputs[1])
    let loss = invocation.output.floats
    let epilogue = try epilogueProgram(invocation)
    return parallelLoop(over: rows.count, minimum: 4096 / rows.classes + 1) { range, part in
      for n in range {
        let row = rows.logits + n * rows.classes
        let maximum = apus_reduce(APUS_REDUCE_MAXIMUM, row, Int64(rows.classes))
        let logSum = log(apus_sum_exp_shifted(row, maximum, Int64(rows.classes)))
        // The sum over c of target * (logSum - (logit - maximum)), with the smoothed share taken out of it. In this
        // order the loss of large logits keeps its digits.
        var sum = 0.0
        rows.forEachTarget(n) { c, target in sum += Double(target * (logSum - (row[c] - maximum))) }
        if rows.spread != 0 {
          let total = apus_sum_shifted(row, maximum, Int64(rows.classes))
          sum += Double(rows.spread * (Float(rows.classes) * logSum - total))
        }
        loss[n] = rows.isValid(n) ? Float(sum) : .nan
      }
      epilogue?.run(range, part: part)
    }
  }

  /// `dlogits[n, c] = dy[n] * (softmax(logits[n])[c] * sum(target[n]) - target[n, c])`
  func crossEntropyGradient(
    _ attributes: CrossEntropy, _ invocation: Invocation<CPUBuffer>
  ) throws(BackendError) -> CPUKernel.Body {
    let rows = LabelledRows(attributes, logits: invocation.inputs[0], labels: invocation.inputs[1])
    let (dy, gradient) = (invocation.inputs[2].floats, invocation.output.floats)
    let classes = rows.classes
    let epilogue = try epilogueProgram(invocation)
    return parallelLoop(over: rows.count, minimum: 4096 / classes + 1) { range, part in
      for n in range {
        let (source, target) = (rows.logits + n * classes, gradient + n * classes)
        var total = Double(rows.spread) * Double(classes)
        rows.forEachTarget(n) { _, share in total += Double(share) }
        let maximum = apus_reduce(APUS_REDUCE_MAXIMUM, source, Int64(classes))
        let sum = apus_exp_shifted(source, maximum, target, Int64(classes))
        let dy = rows.isValid(n) ? dy[n] : .nan
        apus_scale(target, dy * Float(total) / sum, -dy * rows.spread, target, Int64(classes))
        rows.forEachTarget(n) { c, share in target[c] -= dy * share }
      }
      epilogue?.run((range.lowerBound * classes)..<(range.upperBound * classes), part: part)
    }
  }
}

/// Rows of logits with their targets: shares of single classes, and a share that is spread evenly over all.
private struct LabelledRows {
  let logits: UnsafeMutablePointer<Float>
  let labels: UnsafeMutableRawPointer
  let isSparse: Bool
  let count: Int
  let classes: Int
  /// Label smoothing: what every class gets, and what is left for the label.
  let spread: Float
  let share: Float

  init(_ attributes: CrossEntropy, logits: Operand<CPUBuffer>, labels: Operand<CPUBuffer>) {
    self.logits = logits.floats
    self.labels = labels.base
    isSparse = attributes.isSparse
    (count, classes) = (logits.shape[0], logits.shape[1])
    spread = Float(attributes.labelSmoothing / Double(classes))
    share = Float(1 - attributes.labelSmoothing)
  }

  /// Whether the row's label is a class, if it is one.
  func isValid(_ n: Int) -> Bool {
    !isSparse || Numerics.isClass(labels.assumingMemoryBound(to: Int32.self)[n], of: classes)
  }

  /// Calls `body(c, share)` for each class with a share of its own: the label, or every class of a dense target, for
  /// 0 times an infinite cost is NaN.
  func forEachTarget(_ n: Int, _ body: (Int, Float) -> Void) {
    if isSparse {
      let label = Int(labels.assumingMemoryBound(to: Int32.self)[n])
      if isValid(n) { body(label, share) }
    } else {
      let row = labels.assumingMemoryBound(to: Float.self) + n * classes
      for c in 0..<classes { body(c, share * row[c]) }
    }
  }
}

extension CrossEntropyPass: CPUOperation {
  var takesEpilogue: Bool { true }

  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    isGradient ? try backend.crossEntropyGradient(loss, invocation) : try backend.crossEntropy(loss, invocation)
  }

  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    isGradient ? invocation.referenceCrossEntropyGradient(loss) : invocation.referenceCrossEntropy(loss)
  }
}
