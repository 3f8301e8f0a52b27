import ApusCore

extension ChannelSums {
  /// Row by row, each sum in double precision.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let (full, channels) = (invocation.inputs[0].type, invocation.output.shape[1])
    let operands = invocation.inputs.map { (elements: Elements($0), kind: EpilogueOperandKind($0.type, of: full)) }
    let evaluator = Evaluator(expressions, dtype: full.dtype)
    let result = Elements(invocation.output)
    let count = expressions.count
    return {
      var totals = [Double](repeating: 0, count: count * channels)
      for index in 0..<full.count {
        if let sample, index / channels % sample.block >= sample.rows { continue }
        let values = evaluator.values(
          load: { slot in
            switch operands[slot].kind {
            case .scalar: operands[slot].elements[0]
            case .channel: operands[slot].elements[index % channels]
            case .full: operands[slot].elements[index]
            }
          }, random: { _, _ in preconditionFailure("a channel sum has no random numbers") })
        for (k, value) in values.enumerated() { totals[k * channels + index % channels] += value }
      }
      for (index, total) in totals.enumerated() { result[index] = total }
    }
  }
}
