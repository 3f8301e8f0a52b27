import ApusCore

extension CaseCatalog {
  package static let reduction: [OperationCase] =
    [
      [Int]?.none, [0], [1], [-1], [0, 1], [1, 2], [0, 2], [0, 1, 3], [2, 3],
    ].flatMap { axes in
      let name = axes.map { "\($0)" } ?? "all"
      let uses: OperationCase.Uses = axes == [1] || axes?.contains(3) == true ? [] : .selfTest
      return [
        OperationCase("sum \(name)", [3, 4, 5, 6], sums: 360, for: uses) { reduceSum($0[0], axes: axes) },
        OperationCase("mean \(name)", [3, 4, 5, 6], sums: 360, for: uses) {
          reduceMean($0[0], axes: axes, keepingAxes: true)
        },
        OperationCase("max \(name)", [3, 4, 5, 6], for: uses) { reduceMax($0[0], axes: axes) },
      ]
    } + [
      OperationCase("bias gradient columns", [8, 11, 11, 64], sums: 968) { reduceSum($0[0], axes: [0, 1, 2]) },
      OperationCase("odd columns", [999, 10], sums: 999, for: .selfTest) { reduceSum($0[0], axes: [0]) },
      OperationCase("long row", [2, 5000], sums: 5000) { reduceSum($0[0], axes: [1]) },
      OperationCase("long sum", [70_001], sums: 70_001) { reduceSum($0[0]) },
      OperationCase("channel moments", [.real([6, 9, 11, 24], 2...3)], sums: 594) {
        let (mean, variance) = channelMoments($0[0])
        return mean * 0.5 + variance
      },
      OperationCase("channel moments, many", [40, 8, 8, 64], sums: 2560) { channelMoments($0[0]).variance },
      OperationCase("channel moments, wide", [37, 1500], sums: 37) { channelMoments($0[0]).variance },
      OperationCase("channel sums of products", [5, 7, 13], [5, 7, 13], [13], [], sums: 35) {
        let (x, y, c, s) = (Expr.input(0), Expr.input(1), Expr.input(2), Expr.input(3))
        return channelSum((x - c) * y * s, $0) + channelSum(x * y, [$0[0], $0[2]])
      },
      OperationCase("channel sum, one channel", [700, 1], [700, 1], sums: 700) {
        channelSum(.input(0) * .input(1), $0)
      },
      OperationCase("argMax last", [23, 10], for: .selfTest) { argMax($0[0]) },
      OperationCase("argMax first", [7, 6, 5]) { argMax($0[0], axis: 0) },
      OperationCase("argMax ties", [.int32([40, 9], below: 3)]) { argMax($0[0] * 1) },
    ]

  package static let softmax: [OperationCase] = [
    OperationCase("softmax", [.real([6, 10], -9...9)], sums: 10) { ApusCore.softmax($0[0]) },
    OperationCase("softmax long", [2, 3, 1001], sums: 1001, for: .selfTest) { ApusCore.softmax($0[0]) },
    OperationCase("logSoftmax", [.real([6, 13], -9...9)], sums: 13, for: .selfTest) { logSoftmax($0[0]) },
  ]

  package static let loss: [OperationCase] = [
    OperationCase(
      "cross entropy sparse", [.real([21, 10], -5...5), .int32([21], below: 10)], sums: 10, for: .selfTest
    ) { softmaxCrossEntropy($0[0], labels: $0[1]) },
    OperationCase(
      "cross entropy smoothed", [.real([5, 17], -5...5), .int32([5], below: 17)], sums: 17, for: .selfTest
    ) { softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: 0.1) },
    OperationCase(
      "cross entropy dense unsmoothed", [.real([11, 10], -4...4), .fixed([11, 10], 0...0.2)], sums: 10, for: .selfTest
    ) { softmaxCrossEntropy($0[0], labels: $0[1]) },
    OperationCase(
      "cross entropy dense", [.real([7, 12], -5...5), .fixed([7, 12], 0...1)], sums: 12, for: .selfTest
    ) { softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: 0.2) },
    OperationCase(
      "mean cross entropy", [.real([64, 10], -5...5), .int32([64], below: 10)], sums: 64, for: .unfused
    ) { reduceMean(softmaxCrossEntropy($0[0], labels: $0[1])) },
  ]
}
