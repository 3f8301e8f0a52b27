import ApusCore

/// A broadcast computation as ROWS x COLUMNS, such that along a row every input is contiguous or one value.
struct BroadcastView {
  /// Where a row of an input starts.
  enum Offset {
    /// The input has one element.
    case single
    /// The input is indexed like the result.
    case full
    /// An expression of `row`.
    case row(String)
  }

  let rows: Int
  let columns: Int
  let offsets: [Offset]
  /// For each input, whether its elements along a row follow each other; else they are one value.
  let isContiguous: [Bool]

  init(_ inputs: [[Int]], result: [Int]) {
    // Neighbouring axes merge where every input runs through both with one stride.
    var axes: [(size: Int, strides: [Int])] = []
    let strides = inputs.map { Self.strides($0, in: result) }
    for axis in result.indices where result[axis] != 1 {
      let inner = (size: result[axis], strides: strides.map { $0[axis] })
      if let outer = axes.last, zip(outer.strides, inner.strides).allSatisfy({ $0 == $1 * inner.size }) {
        axes[axes.count - 1] = (outer.size * inner.size, inner.strides)
      } else {
        axes.append(inner)
      }
    }
    let innermost = axes.popLast() ?? (size: 1, strides: inputs.map { _ in 0 })
    columns = innermost.size
    rows = axes.reduce(1) { $0 * $1.size }
    isContiguous = innermost.strides.map { $0 == 1 }

    let count = result.elementCount
    offsets = inputs.enumerated().map { slot, shape in
      if shape.elementCount == 1 { return .single }
      if shape.elementCount == count { return .full }
      return .row(IndexMap(axes.map { ($0.size, $0.strides[slot]) }).source("row"))
    }
  }

  /// Elements from one index of each result axis to the next; 0 where the input is repeated.
  private static func strides(_ shape: [Int], in result: [Int]) -> [Int] {
    let lead = result.count - shape.count
    let own = shape.rowMajorStrides
    return result.indices.map { $0 < lead || shape[$0 - lead] == 1 ? 0 : own[$0 - lead] }
  }
}
