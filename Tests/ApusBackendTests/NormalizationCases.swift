import ApusCore

/// (name, shape, sample axes, channel axes, groups)
private let normalizations: [(String, [Int], Int, Int, Int)] = [
  ("layer", [6, 5, 33], 2, 1, 1), ("layer, many rows", [7, 11, 64], 2, 1, 1),
  ("layer, two axes", [9, 4, 7, 5], 2, 2, 1),
  ("layer, wide", [3, 1500], 1, 1, 1), ("layer, narrow", [70, 3], 1, 1, 1), ("layer, 100", [41, 100], 1, 1, 1),
  ("group", [3, 7, 6, 24], 1, 1, 4), ("group, odd", [2, 5, 5, 21], 1, 1, 7), ("group, one", [3, 4, 5, 10], 1, 1, 1),
  ("group, many positions", [2, 31, 33, 12], 1, 1, 3), ("group, no positions", [5, 24], 1, 1, 4),
  ("group, wide", [2, 3, 2, 160], 1, 1, 5), ("instance", [3, 9, 7, 17], 1, 1, 17),
  ("instance, one", [4, 40, 1], 1, 1, 1),
]

let normalizationCases: [OpCase] =
  normalizations.map { name, shape, samples, channelAxes, groups in
    let channels = shape.suffix(channelAxes).reduce(1, *)
    return OpCase(
      "normalization \(name)", shape, [channels], [channels],
      sums: max(shape.dropFirst(samples).reduce(1, *), shape.elementCount / channels)
    ) {
      normalize(
        $0[0], gamma: $0[1], beta: $0[2], sampleAxes: samples, channelAxes: channelAxes, groups: groups, epsilon: 1e-3)
    }
  } + [
    OpCase("normalization without parameters", [5, 3, 20], sums: 60) {
      normalize($0[0], sampleAxes: 1, groups: 2, epsilon: 1e-3)
    },
    OpCase("normalization far from 0", [OpCase.Input(shape: [6, 4, 16], values: .real(100...101))], sums: 24) {
      normalize($0[0], sampleAxes: 2, epsilon: 1e-3)
    },
    OpCase("normalization, relu, sum", [6, 5, 32], [32], [6, 5, 32], sums: 32) {
      relu(normalize(relu($0[0]) + $0[2], gamma: $0[1], sampleAxes: 2, epsilon: 1e-3) + $0[2])
    },
  ]
