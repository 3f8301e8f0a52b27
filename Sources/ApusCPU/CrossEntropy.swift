import ApusCore
internal import CThreads

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
        let logSum = rows.logSum(n)
        // The sum over c of target * (logSum - logit), with the smoothed share taken out of it.
        var sum = 0.0
        rows.forEachTarget(n) { c, target in sum += Double(target * (logSum - rows.logits[n * rows.classes + c])) }
        if rows.spread != 0 {
          let total = apus_reduce(APUS_REDUCE_SUM, rows.logits + n * rows.classes, Int64(rows.classes))
          sum += Double(rows.spread * (Float(rows.classes) * logSum - total))
        }
        loss[n] = Float(sum)
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
        apus_scale(target, dy[n] * Float(total) / sum, -dy[n] * rows.spread, target, Int64(classes))
        rows.forEachTarget(n) { c, share in target[c] -= dy[n] * share }
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

  func logSum(_ n: Int) -> Float {
    let row = logits + n * classes
    return logSumExp(row, apus_reduce(APUS_REDUCE_MAXIMUM, row, Int64(classes)), classes)
  }

  /// Calls `body(c, share)` for each class with a share of its own; a class number out of range has none.
  func forEachTarget(_ n: Int, _ body: (Int, Float) -> Void) {
    if isSparse {
      let label = Int(labels.assumingMemoryBound(to: Int32.self)[n])
      if label >= 0, label < classes { body(label, share) }
    } else {
      let row = labels.assumingMemoryBound(to: Float.self) + n * classes
      for c in 0..<classes where row[c] != 0 { body(c, share * row[c]) }
    }
  }
}
