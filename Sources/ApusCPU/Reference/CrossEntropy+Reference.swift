import ApusCore

extension Invocation<CPUBuffer> {
  /// `loss[n] = -sum over c of target[n, c] * logSoftmax(logits[n])[c]`
  func referenceCrossEntropy(_ attributes: CrossEntropy) -> () -> Void {
    let (rows, classes) = (inputs[0].shape[0], inputs[0].shape[1])
    let (logits, labels, loss) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    return {
      for n in 0..<rows {
        let (maximum, logSum) = logSumExp(logits, n * classes, classes)
        var sum = attributes.isValid(labels, n, classes) ? 0 : Double.nan
        for c in 0..<classes {
          let target = attributes.target(labels, n, c, classes)
          // Classes that are not the label add nothing, whatever their logit.
          if target != 0 || !attributes.isSparse { sum -= target * ((logits[n * classes + c] - maximum) - logSum) }
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
        let (maximum, logSum) = logSumExp(logits, n * classes, classes)
        let dy = attributes.isValid(labels, n, classes) ? dy[n] : .nan
        let total = (0..<classes).reduce(0.0) { $0 + attributes.target(labels, n, $1, classes) }
        for c in 0..<classes {
          let probability = exponential((logits[n * classes + c] - maximum) - logSum)
          gradient[n * classes + c] = dy * (probability * total - attributes.target(labels, n, c, classes))
        }
      }
    }
  }
}

extension CrossEntropy {
  /// Whether the label is a class, if it is one.
  func isValid(_ labels: Elements, _ n: Int, _ classes: Int) -> Bool {
    !isSparse || Numerics.isClass(Int32(labels[n]), of: classes)
  }

  /// The smoothed target of class `c`.
  func target(_ labels: Elements, _ n: Int, _ c: Int, _ classes: Int) -> Double {
    let hard = isSparse ? (labels[n] == Double(c) ? 1 : 0) : labels[n * classes + c]
    return (1 - labelSmoothing) * hard + labelSmoothing / Double(classes)
  }
}
