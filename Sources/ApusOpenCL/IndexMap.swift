/// Sums of an index's coordinates times strides, as OpenCL C.
struct IndexMap {
  /// Sizes and strides of the axes, outermost first.
  private var axes: [(size: Int, stride: Int)] = []

  /// Neighbouring axes that one stride runs through become one.
  init(_ all: [(Int, Int)]) {
    for (size, stride) in all where size != 1 {
      if let outer = axes.last, outer.stride == stride * size {
        axes[axes.count - 1] = (outer.size * size, stride)
      } else {
        axes.append((size, stride))
      }
    }
  }

  /// The sum for the variable `index`, which runs through all axes in row-major order.
  func source(_ index: String) -> String {
    var terms: [String] = []
    var below = 1
    for (position, axis) in axes.enumerated().reversed() {
      if axis.stride != 0 {
        let divided = below == 1 ? "(\(index))" : "(\(index)) / \(below)"
        let coordinate = position == 0 ? divided : "\(divided) % \(axis.size)"
        terms.append(axis.stride == 1 ? coordinate : "\(coordinate) * \(axis.stride)")
      }
      below *= axis.size
    }
    return terms.isEmpty ? "0" : terms.joined(separator: " + ")
  }
}
