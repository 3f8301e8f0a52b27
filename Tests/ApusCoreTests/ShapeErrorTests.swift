import ApusCore
import Testing

/// Mistakes in shapes are thrown by `trace` with the layer's name, the shapes and the rule; nothing traps.
@Suite struct ShapeErrorTests {
  static let cases: [(String, @Sendable (Graph) -> Tensor, [String])] = [
    (
      "broadcast", { $0.input("a", shape: [2, 3]) + $0.input("b", shape: [4]) },
      ["2x3", "4", "broadcast"]
    ),
    (
      "matMul", { matMul($0.input("a", shape: [2, 3]), $0.input("b", shape: [4, 5])) },
      ["2x3", "4x5", "inner sizes 3 and 4"]
    ),
    (
      "channels", { conv2D($0.input("x", shape: [1, 8, 8, 3]), $0.input("w", shape: [3, 3, 4, 8])) },
      ["1x8x8x3", "3x3x4x8", "third size", "3"]
    ),
    (
      "kernel larger than image", { conv2D($0.input("x", shape: [1, 2, 2, 1]), $0.input("w", shape: [3, 3, 1, 1])) },
      ["1x2x2x1", "3x3x1x1", "smaller than the window"]
    ),
    (
      "stride 0", { conv2D($0.input("x", shape: [1, 8, 8, 1]), $0.input("w", shape: [3, 3, 1, 1]), stride: (0, 1)) },
      ["stride 0x1", "at least 1"]
    ),
    (
      "groups", { conv2D($0.input("x", shape: [1, 8, 8, 3]), $0.input("w", shape: [3, 3, 1, 4]), groups: 2) },
      ["groups 2", "divide the 3 input and 4 output"]
    ),
    (
      "negative padding",
      {
        conv2D(
          $0.input("x", shape: [1, 8, 8, 1]), $0.input("w", shape: [3, 3, 1, 1]),
          padding: .explicit(top: -1, bottom: 0, left: 0, right: 0))
      }, ["negative"]
    ),
    ("empty batch", { conv2D($0.input("x", shape: [0, 8, 8, 1]), $0.input("w", shape: [3, 3, 1, 1])) }, ["0x8x8x1"]),
    ("pool window", { maxPool2D($0.input("x", shape: [1, 2, 2, 1]), size: 3) }, ["1x2x2x1", "3x3"]),
    ("reshape", { reshape($0.input("x", shape: [4, 3]), to: [5, -1]) }, ["4x3", "-1"]),
    ("concat", { concat([$0.input("a", shape: [2, 3]), $0.input("b", shape: [3, 3])], axis: 1) }, ["axis 1"]),
    ("slice", { slice($0.input("x", shape: [4]), starts: [2], sizes: [3]) }, ["[2]", "[3]", "4"]),
    ("transpose", { transpose($0.input("x", shape: [4, 5]), [0, 0]) }, ["[0, 0]", "4x5"]),
    ("reduce axis", { reduceSum($0.input("x", shape: [4, 5]), axes: [2]) }, ["[2]", "4x5"]),
    (
      "labels",
      { softmaxCrossEntropy($0.input("x", shape: [4, 5]), labels: $0.input("y", shape: [3], dtype: .int32)) },
      ["4, 5", "[3]"]
    ),
    (
      "overflow", { broadcast($0.input("x", shape: [1]), to: [Int.max / 2, 4]) }, ["more elements than memory"]
    ),
    (
      "overflow beside an empty axis", { $0.input("x", shape: [0, Int.max, 2]).flattened() },
      ["more elements than memory"]
    ),
    (
      "dilation",
      {
        conv2D($0.input("x", shape: [1, 8, 8, 1]), $0.input("w", shape: [3, 3, 1, 1]), dilation: (.max, 1))
      }, ["1x8x8x1", "63 bits"]
    ),
    (
      "slice far away", { slice($0.input("x", shape: [4]), starts: [3], sizes: [.max], steps: [.max]) }, ["starts [3]"]
    ),
    (
      "concat overflow",
      { concat([$0.input("a", shape: [0, .max]), $0.input("b", shape: [0, .max], dtype: .float32)], axis: 1) },
      ["63 bits"]
    ),
    ("classes", { oneHot($0.input("x", shape: [4], dtype: .int32), classes: -1) }, ["-1 classes"]),
    (
      "one name for two inputs", { $0.input("x", shape: [4]) + $0.input("x", shape: [5]) },
      ["'x'", "float32[4]", "float32[5]"]
    ),
    ("dropout rate", { dropout($0.input("x", shape: [4]), rate: 1) }, ["rate 1.0", "0..<1"]),
  ]

  @Test(arguments: cases.indices) func namesLayerShapesAndRule(_ index: Int) throws {
    let (_, build, parts) = Self.cases[index]
    let error = try #require(throws: GraphError.self) {
      try Graph(mode: .training).trace { graph in graph.scope("block.layer") { build(graph) } }
    }
    #expect(error.label == "block.layer")
    for part in parts { #expect(error.message.contains(part), "\(error.message)") }
  }

  /// Strides may be any number; padding `same` then adds nothing.
  @Test func theLargestStrideIsFine() throws {
    try Graph().trace { graph in
      let x = graph.input("x", shape: [1, 8, 7, 1])
      let y = conv2D(x, graph.input("w", shape: [3, 3, 1, 1]), stride: (.max, 2), padding: .same)
      #expect(y.shape == [1, 1, 4, 1])
      #expect(slice(x, starts: [0, 1, 6, 0], sizes: [1, 3, 1, 1], steps: [1, 3, .max, 1]).shape == [1, 3, 1, 1])
    }
  }

  @Test func keepsTheFirstMistake() {
    let graph = Graph()
    let bad = matMul(graph.input("a", shape: [2, 3]), graph.input("b", shape: [4, 5]))
    _ = relu(bad) + graph.input("c", shape: [1])
    _ = graph.fail("a later one")
    #expect(graph.failure?.message.contains("matMul") == true)
  }
}
