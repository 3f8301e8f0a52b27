import ApusCore

extension Invocation<CPUBuffer> {
  /// `loss[n] = -sum over c of target[n, c] * logSoftmax(logits[n])[c]`
  func referenceCrossEntropy(_ attributes: CrossEntropy) -> () -> Void {
    let (rows, classes) = (inputs[0].shape[0], inputs[0].shape[1])
    let (logits, labels, loss) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for n in 0..<rows {
        let logSum = logSumExp(logits, n * classes, classes)
        var sum = 0.0
        for c in 0..<classes {
          let target = attributes.target(labels, n, c, classes)
          // A target of zero adds nothing, whatever the logit.
          if target != 0 { sum -= target * (logits[n * classes + c] - logSum) }
        }
        loss[n] = sum
      }
    }
  }

  /// `dlogits[n, c] = dy[n] * (softmax(logits[n])[c] * sum(target[n]) - target[n, c])`; the targets of a row sum to 1
  /// where they are probabilities.
  func referenceCrossEntropyGradient(_ attributes: CrossEntropy) -> () -> Void {
    let (rows, classes) = (inputs[0].shape[0], inputs[0].shape[1])
    let (logits, labels, dy) = (Elements(inputs[0]), Elements(inputs[1]), Elements(inputs[2]))
    let gradient = Elements(output)
    return {
      for n in 0..<rows {
        let logSum = logSumExp(logits, n * classes, classes)
        let total = (0..<classes).reduce(0.0) { $0 + attributes.target(labels, n, $1, classes) }
        for c in 0..<classes {
          let probability = exponential(logits[n * classes + c] - logSum)
          gradient[n * classes + c] = dy[n] * (probability * total - attributes.target(labels, n, c, classes))
        }
      }
    }
  }
}

extension CrossEntropy {
  /// The smoothed target of class `c`. A class number out of range has no class of its own.
  func target(_ labels: Elements, _ n: Int, _ c: Int, _ classes: Int) -> Double {
    let hard = isSparse ? (labels[n] == Double(c) ? 1 : 0) : labels[n * classes + c]
    return (1 - labelSmoothing) * hard + labelSmoothing / Double(classes)
  }
}
