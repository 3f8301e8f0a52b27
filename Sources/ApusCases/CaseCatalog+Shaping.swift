import ApusCore

extension CaseCatalog {
  package static let shaping: [OperationCase] = [
    OperationCase("reshape", [4, 6]) { reshape($0[0] * 2, to: [3, -1]) },
    OperationCase("transpose 2-D", [33, 70], for: .selfTest) { transpose($0[0]) },
    OperationCase("transpose 4-D", [2, 3, 4, 5], for: .selfTest) { transpose($0[0], [0, 3, 1, 2]) },
    OperationCase("transpose 6-D", [2, 3, 2, 3, 2, 2]) { transpose($0[0], [5, 3, 1, 0, 2, 4]) },
    OperationCase("slice", [5, 6, 7], for: .selfTest) { slice($0[0], starts: [1, 0, 2], sizes: [3, 6, 4]) },
    OperationCase("slice leading", [40, 16]) { slice($0[0], starts: [16, 0], sizes: [20, 16]) * 1.5 },
    OperationCase("slice strided", [.fixed([9, 10])]) {
      slice($0[0], starts: [1, 2], sizes: [3, 4], steps: [3, 2])
    },
    OperationCase("slice integers", [.int32([6, 5], below: 100)]) { slice($0[0], starts: [2, 1], sizes: [3, 3]) },
    OperationCase("concat last", [3, 4], [3, 5], [3, 1], for: .selfTest) { concat($0) },
    OperationCase("concat first", [2, 3, 4], [5, 3, 4]) { concat($0, axis: 0) },
    OperationCase("resize, larger", [2, 5, 7, 3], sums: 12) {
      resize($0[0], height: 11, width: 13, interpolation: .bicubic)
    },
    OperationCase("resize, smaller", [2, 13, 11, 1], sums: 24) { resize($0[0], height: 4, width: 6) },
    OperationCase("pad", [3, 4, 5], for: .selfTest) { pad($0[0], before: [1, 0, 2], after: [0, 3, 1], value: 0.5) },
  ]

  package static let gather: [OperationCase] = [
    OperationCase("gather", [.real([9, 3, 4]), .int32([13], below: 9)], sums: 13, for: .selfTest) {
      ApusCore.gather($0[0], $0[1])
    },
    OperationCase("gather images", [.uint8([20, 6, 6, 3]), .int32([8], below: 20)], for: .selfTest) {
      ApusCore.gather($0[0], $0[1]) * (1 / 255.0)
    },
    OperationCase("gather labels", [.int32([50], below: 10), .int32([8], below: 50)]) {
      ApusCore.gather($0[0], $0[1])
    },
  ]

  package static let update: [OperationCase] = [
    // The result is what the parameters were before.
    OperationCase("momentum", [.fixed([45])], for: .selfTest) {
      let graph = $0[0].graph
      let weight = Parameter("weight", value: OperationCase.weights([45]))
      let velocity = Parameter("velocity", value: OperationCase.Input.fixed([45]).array(stream: 7))
      let next = 0.9 * Expr.input(1) - 0.1 * Expr.input(2)
      graph.update([weight, velocity], reading: [$0[0]], [.input(0) + next, next])
      return graph.parameter(weight) - graph.parameter(velocity)
    }
  ]
}
