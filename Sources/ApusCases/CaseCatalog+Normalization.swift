import ApusCore

extension CaseCatalog {
  package static let normalization: [OperationCase] = [
    layer("layer", [6, 5, 33], for: .selfTest), layer("layer, many rows", [7, 11, 64]),
    layer("layer, two axes", [9, 4, 7, 5], channelAxes: 2), layer("layer, wide", [3, 1500], samples: 1),
    layer("layer, narrow", [70, 3], samples: 1), layer("layer, 100", [41, 100], samples: 1),
    group("group", [3, 7, 6, 24], 4, for: .selfTest), group("group, odd", [2, 5, 5, 21], 7),
    group("group, one", [3, 4, 5, 10], 1), group("group, many positions", [2, 31, 33, 12], 3),
    group("group, no positions", [5, 24], 4), group("group, wide", [2, 3, 2, 160], 5),
    group("instance", [3, 9, 7, 17], 17, for: .selfTest), group("instance, one", [4, 40, 1], 1),
    OperationCase("normalization without parameters", [5, 3, 20], sums: 60) {
      normalize($0[0], sampleAxes: 1, groups: 2, epsilon: 1e-3)
    },
    OperationCase("normalization far from 0", [.real([6, 4, 16], 100...101)], sums: 24) {
      normalize($0[0], sampleAxes: 2, epsilon: 1e-3)
    },
    OperationCase("normalization, relu, sum", [6, 5, 32], [32], [6, 5, 32], sums: 32) {
      relu(normalize(relu($0[0]) + $0[2], gamma: $0[1], sampleAxes: 2, epsilon: 1e-3) + $0[2])
    },
    OperationCase("batch normalization", [8, 5, 5, 20], [20], [20], sums: 200, for: .selfTest) {
      let (mean, variance) = channelMoments($0[0])
      return relu(($0[0] - mean) * (pow(variance + 1e-3, -0.5) * $0[1]) + $0[2])
    },
  ]

  private static func layer(
    _ name: String, _ shape: [Int], samples: Int = 2, channelAxes: Int = 1, for uses: OperationCase.Uses = []
  ) -> OperationCase { normalization(name, shape, samples, channelAxes, groups: 1, uses) }

  private static func group(
    _ name: String, _ shape: [Int], _ groups: Int, for uses: OperationCase.Uses = []
  ) -> OperationCase { normalization(name, shape, 1, 1, groups: groups, uses) }

  private static func normalization(
    _ name: String, _ shape: [Int], _ samples: Int, _ channelAxes: Int, groups: Int, _ uses: OperationCase.Uses
  ) -> OperationCase {
    let channels = shape.suffix(channelAxes).reduce(1, *)
    return OperationCase(
      "normalization \(name)", shape, [channels], [channels],
      sums: max(shape.dropFirst(samples).reduce(1, *), shape.elementCount / channels), for: uses
    ) {
      normalize(
        $0[0], gamma: $0[1], beta: $0[2], sampleAxes: samples, channelAxes: channelAxes, groups: groups, epsilon: 1e-3)
    }
  }
}
