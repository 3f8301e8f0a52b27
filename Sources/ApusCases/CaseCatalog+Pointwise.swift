import ApusCore

extension CaseCatalog {
  package static let pointwise: [OperationCase] =
    [
      OperationCase("add same", [5, 7], [5, 7]) { $0[0] + $0[1] },
      OperationCase("multiply channel", [3, 4, 5, 6], [6], for: .selfTest) { $0[0] * $0[1] },
      OperationCase("subtract row", [4, 1, 6], [1, 5, 1], for: .selfTest) { $0[0] - $0[1] },
      OperationCase("divide", [.real([17]), .real([17], 0.5...2)], for: .selfTest) { $0[0] / $0[1] },
      OperationCase("scalar operands", [33]) { 2 * (1 - $0[0]) / 3 + 0.5 },
      OperationCase("maximum", [40], [40]) { maximum($0[0], $0[1]) },
      OperationCase("minimum scalar shape", [3, 19], []) { minimum($0[0], $0[1]) },
      OperationCase("log sqrt exp", [.real([100], 0.5...3)], for: .selfTest) { log(sqrt($0[0]) + exp($0[0])) },
      OperationCase("power", [.real([31], 0.5...3)]) { pow($0[0], 2.5) },
      OperationCase("absolute", [64]) { abs($0[0]) },
      OperationCase("broadcast", [1, 3, 1]) { broadcast($0[0], to: [4, 3, 5]) },
      OperationCase("same tensor twice", [21]) { $0[0] * $0[0] + $0[0] },
      OperationCase("long chain", [1025], for: .unfused) { tanh(sigmoid($0[0] * 3) * $0[0] + exp(-($0[0] * $0[0]))) },
      OperationCase("large", [70_001]) { relu($0[0]) * 2 + 1 },
      OperationCase("uint8 scaled", [.uint8([3, 5, 5, 2])]) { $0[0] * (1 / 255.0) },
      OperationCase("int32 compared", [.int32([77], below: 3), .int32([77], below: 3)]) {
        ApusCore.pointwise(.ifEqual(.input(0), .input(1), then: 1, otherwise: 0), $0)
      },
      OperationCase("one hot", [.int32([9], below: 6)]) { oneHot($0[0], classes: 6) },
    ]
    + [
      ("relu", Activation.relu), ("leakyReLU", .leakyReLU()), ("elu", .elu()), ("selu", .selu), ("gelu", .gelu),
      ("silu", .silu), ("sigmoid", .sigmoid), ("tanh", .tanh), ("softplus", .softplus), ("hardSwish", .hardSwish),
    ].map { name, activation in
      OperationCase(name, [.real([5, 37], -4...4)], for: .selfTest) { activation($0[0]) }
    }

  package static let random = [
    OperationCase("dropout", [50, 40], for: .selfTest) { dropout($0[0], rate: 0.4) }
  ]
}
