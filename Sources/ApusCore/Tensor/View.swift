/// A walk over elements in memory: index `[i, j, ...]` of `sizes` is element `offset + i * strides[0] + j * strides[1]...`
///
/// Repeating, slicing, transposing and placing an array in a larger one are other walks over the same memory. Kernels
/// work strides out and join axes here and nowhere else.
package struct View: Hashable, Sendable {
  package let sizes: [Int]
  /// In elements, one for each axis; 0 where elements are repeated.
  package let strides: [Int]
  package let offset: Int

  package init(sizes: [Int], strides: [Int], offset: Int = 0) {
    precondition(sizes.count == strides.count, "\(sizes.count) axes, \(strides.count) strides")
    self.sizes = sizes
    self.strides = strides
    self.offset = offset
  }

  /// All elements of an array of that shape, in row-major order.
  package init(_ shape: [Int]) { self.init(sizes: shape, strides: shape.rowMajorStrides) }

  /// The element of the row-major `index`-th place.
  package func element(_ index: Int) -> Int {
    var rest = index
    var element = offset
    for axis in sizes.indices.reversed() {
      element += rest % sizes[axis] * strides[axis]
      rest /= sizes[axis]
    }
    return element
  }

  // MARK: Other walks

  /// Repeated along axes of size 1 and new leading ones, to fill `shape`.
  package func broadcast(to shape: [Int]) -> View {
    let lead = shape.count - sizes.count
    return View(
      sizes: shape, strides: shape.indices.map { $0 < lead || sizes[$0 - lead] == 1 ? 0 : strides[$0 - lead] },
      offset: offset)
  }

  /// Axis i of the result is axis `permutation[i]`.
  package func transposed(_ permutation: [Int]) -> View { axes(permutation) }

  /// Those axes, at index 0 of the others.
  package func axes(_ axes: [Int]) -> View {
    View(sizes: axes.map { sizes[$0] }, strides: axes.map { strides[$0] }, offset: offset)
  }

  /// From index `starts` on, every `steps`-th, `sizes` of them.
  package func sliced(starts: [Int], sizes: [Int], steps: [Int]? = nil) -> View {
    View(
      sizes: sizes, strides: steps.map { zip(strides, $0).map { $0 * $1 } } ?? strides,
      offset: zip(strides, starts).reduce(offset) { $0 + $1.0 * $1.1 })
  }

  // MARK: Fewer axes

  /// The same walk with as few axes as possible.
  package var merged: View { Self.merged([self])[0] }

  /// The same walks, all of one shape, side by side with as few axes as possible: those of size 1 go, and neighbours
  /// that each walk runs through with one stride join.
  package static func merged(_ views: [View]) -> [View] {
    var sizes: [Int] = []
    var strides: [[Int]] = views.map { _ in [] }
    for (axis, size) in (views.first?.sizes ?? []).enumerated() where size != 1 {
      let joins = !sizes.isEmpty && views.indices.allSatisfy { strides[$0].last == views[$0].strides[axis] * size }
      if joins { sizes[sizes.count - 1] *= size } else { sizes.append(size) }
      for (index, view) in views.enumerated() {
        if joins { strides[index].removeLast() }
        strides[index].append(view.strides[axis])
      }
    }
    return views.indices.map { View(sizes: sizes, strides: strides[$0], offset: views[$0].offset) }
  }
}
