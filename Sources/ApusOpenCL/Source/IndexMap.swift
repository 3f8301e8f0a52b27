import ApusCore

/// The elements that a view walks over, as OpenCL C.
struct IndexMap {
  private let view: View

  init(_ view: View) { self.view = view.merged }

  /// The element for the variable `index`, which runs through all axes in row-major order.
  func source(_ index: String) -> String {
    var terms: [String] = []
    var below = 1
    for (position, (size, stride)) in zip(view.sizes, view.strides).enumerated().reversed() {
      if stride != 0 {
        let divided = below == 1 ? "(\(index))" : "(\(index)) / \(below)"
        let coordinate = position == 0 ? divided : "\(divided) % \(size)"
        terms.append(stride == 1 ? coordinate : "\(coordinate) * \(stride)")
      }
      below *= size
    }
    let element = terms.isEmpty ? "0" : terms.joined(separator: " + ")
    return view.offset == 0 ? element : "\(element) + \(view.offset)"
  }
}
