import ApusCore
import Testing

@Suite struct SliceGradientTests {
  /// The gradient of a slice with steps is the incoming one at the places taken, and zero at all others.
  @Test(arguments: [
    ([0, 1], [3, 2], [2, 3]), ([1, 0], [2, 5], [3, 1]), ([4, 2], [1, 3], [9, 1]), ([5, 4], [0, 1], [2, 2]),
  ])
  func liesWhereTheSliceWas(_ starts: [Int], _ sizes: [Int], _ steps: [Int]) throws {
    let shape = [5, 5]
    let incoming = NDArray((0..<sizes.elementCount).map { Float($0 + 1) }, shape: sizes)
    let gradient = try evaluate { graph in
      let x = graph.constant(NDArray((0..<25).map { Float($0) }, shape: shape))
      let y = slice(x, starts: starts, sizes: sizes, steps: steps) * graph.constant(incoming)
      return graph.gradients(of: y, with: [x])
    }[0]
    var expected = [Float](repeating: 0, count: 25)
    for i in 0..<sizes[0] {
      for j in 0..<sizes[1] {
        let place = (starts[0] + i * steps[0]) * 5 + starts[1] + j * steps[1]
        expected[place] = Float(i * sizes[1] + j + 1)
      }
    }
    #expect(gradient == NDArray(expected, shape: shape))
  }
}
