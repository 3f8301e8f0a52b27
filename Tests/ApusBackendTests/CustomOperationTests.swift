import ApusCases
import ApusCore
import Testing

/// `x * x / 2 + bias`, with a kernel of its own for it and for its gradient.
private let halfSquare = CustomOperation(
  "halfSquare",
  kernel: .init(
    source: { _, result in
      """
      #define CHANNELS \(result.shape.last!)
      __kernel void half_square(__global const float *x, __global const float *bias, __global float *y) {
        const int i = get_global_id(0);
        y[i] = 0.5f * x[i] * x[i] + bias[i % CHANNELS];
      }
      """
    }, entry: "half_square"
  ) { _, result in [result.shape.reduce(1, *)] },
  gradients: { inputs, _, gradient in [product(inputs[0], gradient), channelSum(.input(0), [gradient])] }
) { 0.5 * $0[0] * $0[0] + $0[1] }

private let product = CustomOperation(
  "product",
  kernel: .init(
    source: """
      __kernel void product(__global const float *a, __global const float *b, __global float *y) {
        const int i = get_global_id(0);
        y[i] = a[i] * b[i];
      }
      """, entry: "product"
  ) { _, result in [result.shape.reduce(1, *)] }
) { $0[0] * $0[1] }

/// Made of another one, without kernel and gradient.
private let twice = CustomOperation("twice") { halfSquare(halfSquare($0[0], $0[1]), $0[1]) }

extension BackendTests {
  @Suite(.serialized) struct CustomOperationTests {
    private func build(_ operation: CustomOperation) throws -> (graph: Graph, outputs: [Tensor]) {
      let graph = Graph()
      let (x, bias) = (graph.input("x", shape: [5, 7]), graph.input("bias", shape: [7]))
      let outputs = try graph.trace { graph in
        let y = operation(relu(x), bias)
        return [y * 3] + graph.gradients(of: reduceSum(y * y), with: [x, bias])
      }
      return (graph, outputs)
    }

    /// The same results with kernels of its own, on OpenCL, and from its decomposition.
    @Test(arguments: TestBackend.allCases, [("halfSquare", 1), ("twice", 2)])
    func runsEverywhere(_ backend: TestBackend, _ test: (name: String, count: Int)) throws {
      let (graph, outputs) = try build(test.count == 1 ? halfSquare : twice)
      let values = [[5, 7], [7]].enumerated().map { index, shape in
        OperationCase.Input.real(shape).array(stream: UInt32(index))
      }
      let executable = try backend.session().compile(graph, outputs: outputs)
      let listing = executable.listing
      func count(_ name: String) -> Int { listing.split(separator: "\n").count { $0.contains("= \(name)(") } }
      #expect((count("halfSquare") > 0) == (backend != .cpu) && count("twice") == 0, "\(listing)")
      let results = try executable(values, outputs: outputs.count)
      let expected = try TestBackend.reference().compile(graph, outputs: outputs)(values, outputs: outputs.count)
      for (result, truth) in zip(results, expected) { #expect(result.relativeError(from: truth) < 1e-6) }
      // Against numbers: y = x * x / 2 + b for x > 0.
      if test.count == 1 {
        for (i, (x, y)) in zip(values[0].doubles, results[0].doubles).enumerated() {
          let truth = 3 * ((x > 0 ? x * x / 2 : 0) + values[1].doubles[i % 7])
          #expect(abs(y - truth) < 1e-5)
        }
      }
    }

    @Test func whatItDoesNotTakeIsAnError() {
      let graph = Graph()
      let x = graph.input("x", shape: [5, 7])
      #expect(!halfSquare(x, graph.input("bias", shape: [6])).isValid)
      #expect(graph.failure?.message.contains("halfSquare") == true)
    }
  }
}
