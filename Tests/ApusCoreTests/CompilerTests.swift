import Testing

@testable import ApusCore

@Suite struct CompilerTests {
  /// What each pass makes of an inference can be looked at; without fusion only what plans need is done.
  @Test(arguments: [true, false]) func passesShowWhatTheyMake(_ fuses: Bool) throws {
    let graph = Graph()
    let x = graph.input("x", shape: [2, 8, 8, 3])
    let (kernel, bias) = (graph.input("kernel", shape: [3, 3, 3, 16]), graph.input("bias", shape: [16]))
    let y = maxPool2D(relu(conv2D(x, kernel) + bias), size: 2)
    try #require(graph.failure == nil)
    var options = CompileOptions()
    options.fuses = fuses
    let target = Compiler.Target(
      options: options, prepare: { _ in Prepared(takesEpilogue: true, takesPooling: true) }, batchTileBytes: .max)
    var counts: [String: Int] = [:]
    let lowered = Compiler.lower(graph, wanted: [y.id], for: target) { counts[$0.name] = $1.nodes.count }
    #expect(
      counts
        == (fuses
          ? [
            // Sum and ReLU; then both in the convolution; then the pooling, too.
            "decompose": 7, "fuse pointwise chains": 6, "merge normalization gradients": 4,
            "merge channel sums": 6, "fuse epilogues": 5, "fold channel scales": 5, "fuse poolings": 4,
            "tile the batch": 4, "separate operands of packs": 4,
          ] : ["decompose": 7, "separate operands of packs": 7]))
    #expect(lowered.nodes.count == (fuses ? 4 : 7))
  }
}
