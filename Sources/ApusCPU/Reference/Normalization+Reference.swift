import ApusCore

extension Normalization {
  /// Group by group, statistics and sums in double precision.
  func reference(_ invocation: Invocation<CPUBuffer>) -> () -> Void {
    let sizes = Sizes(self, invocation.inputs[0].shape)
    let (x, gamma, last) = (
      Elements(invocation.inputs[0]), Elements(invocation.inputs[1]), Elements(invocation.inputs[2])
    )
    let result = Elements(invocation.output)
    let (count, channels) = (Double(sizes.count), sizes.channels)
    let parameters = pass == .gradients ? Self.parameterStart(invocation.inputs[0].count) : 0
    return {
      var sums = [Double](repeating: 0, count: 2 * channels)
      for sample in 0..<sizes.samples {
        for group in 0..<sizes.groups {
          // Elements of the group and their channels.
          let places = (0..<sizes.count).map { i -> (index: Int, channel: Int) in
            let channel = group * sizes.width + i % sizes.width
            return ((sample * sizes.positions + i / sizes.width) * channels + channel, channel)
          }
          let mean = places.reduce(0) { $0 + x[$1.index] } / count
          let variance = places.reduce(0) { $0 + (x[$1.index] - mean) * (x[$1.index] - mean) } / count
          let factor = 1 / (variance + epsilon).squareRoot()
          func normalized(_ index: Int) -> Double { (x[index] - mean) * factor }
          if pass == .forward {
            for (i, c) in places { result[i] = normalized(i) * gamma[c] + last[c] }
            continue
          }
          let gradient = places.reduce(0) { $0 + last[$1.index] * gamma[$1.channel] } / count
          let slope = places.reduce(0) { $0 + last[$1.index] * gamma[$1.channel] * normalized($1.index) } / count
          for (i, c) in places {
            sums[c] += last[i] * normalized(i)
            sums[channels + c] += last[i]
            if pass == .parameterGradients { continue }
            result[i] = factor * (last[i] * gamma[c] - gradient - normalized(i) * slope)
          }
        }
      }
      if pass == .parameterGradients || pass == .gradients {
        for (i, sum) in sums.enumerated() { result[parameters + i] = sum }
      }
    }
  }
}
