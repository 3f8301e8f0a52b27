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
    // One walk for each input, and that of the result's rows where there are no inputs.
    let walks = View.merged(inputs.map { View($0).broadcast(to: result) } + [View(result)])
    let sizes = walks[0].sizes
    columns = sizes.last ?? 1
    rows = Array(sizes.dropLast()).elementCount
    isContiguous = walks.dropLast().map { $0.strides.last == 1 }

    let count = result.elementCount
    offsets = inputs.enumerated().map { slot, shape in
      if shape.elementCount == 1 { return .single }
      if shape.elementCount == count { return .full }
      let rows = View(sizes: Array(sizes.dropLast()), strides: Array(walks[slot].strides.dropLast()))
      return .row(IndexMap(rows).source("row"))
    }
  }
}
