import Testing

@testable import ApusCore

/// A view's elements against the array that it is made of.
@Suite struct ViewTests {
  private func elements(_ view: View) -> [Int] { (0..<view.sizes.elementCount).map(view.element) }

  @Test func arraysAreWalkedInOrder() {
    #expect(elements(View([2, 3, 4])) == Array(0..<24))
    #expect(elements(View([])) == [0])
  }

  @Test func axesAreRepeated() {
    #expect(elements(View([3, 1]).broadcast(to: [2, 3, 2])) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
    #expect(elements(View([]).broadcast(to: [3])) == [0, 0, 0])
  }

  @Test func axesChangePlaces() {
    #expect(elements(View([2, 3]).transposed([1, 0])) == [0, 3, 1, 4, 2, 5])
  }

  @Test func partsAreWalked() {
    #expect(elements(View([4, 5]).sliced(starts: [1, 0], sizes: [2, 3], steps: [2, 2])) == [5, 7, 9, 15, 17, 19])
    // A slice of a slice is one of the array.
    let inner = View([4, 5]).sliced(starts: [1, 1], sizes: [3, 4]).sliced(starts: [1, 2], sizes: [2, 2])
    #expect(elements(inner) == [13, 14, 18, 19])
    #expect(elements(View([2, 3]).axes([0])) == [0, 3])
  }

  @Test func neighboursJoin() {
    #expect(View([2, 3, 1, 4]).merged == View([24]))
    #expect(View([1, 1]).merged == View(sizes: [], strides: []))
    #expect(View([4, 1]).broadcast(to: [4, 6]).merged == View(sizes: [4, 6], strides: [1, 0]))
    #expect(View([5]).broadcast(to: [2, 3, 5]).merged == View(sizes: [6, 5], strides: [0, 1]))
    let part = View([4, 6]).sliced(starts: [1, 0], sizes: [2, 6])
    #expect(part.merged == View(sizes: [12], strides: [1], offset: 6))
  }

  /// Axes join only where all walks allow it, and each walk stays what it was.
  @Test func walksJoinTogether() {
    let shape = [2, 3, 4, 5]
    let views = [
      View(shape), View([3, 1, 1]).broadcast(to: shape), View([5, 4]).transposed([1, 0]).broadcast(to: shape),
    ]
    let merged = View.merged(views)
    #expect(merged.map(\.sizes) == [[2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 5]])
    #expect(View.merged(Array(views.prefix(2))).map(\.sizes) == [[2, 3, 20], [2, 3, 20]])
    for (view, joined) in zip(views, merged) { #expect(elements(view) == elements(joined)) }
  }
}
