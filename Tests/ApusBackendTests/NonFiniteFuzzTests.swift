import ApusCore
import Testing

/// An operation whose inputs are drawn from NaN, infinities, zeros, subnormal and ordinary numbers.
struct NonFiniteFuzzCase: Sendable, CustomTestStringConvertible {
  let name: String
  let shapes: [[Int]]
  /// Classes of the int32 labels that follow the inputs, one a row of the first; some of them out of range.
  var classes: Int?
  let build: @Sendable ([Tensor]) -> Tensor

  init(_ name: String, _ shapes: [Int]..., classes: Int? = nil, _ build: @escaping @Sendable ([Tensor]) -> Tensor) {
    self.name = name
    self.shapes = shapes
    self.classes = classes
    self.build = build
  }

  var testDescription: String { name }

  /// The result and, where there is one, the gradient of the first input.
  func compile(on session: any Session, _ options: CompileOptions = .init()) throws -> (NDArrays) throws -> [[Double]] {
    let graph = Graph()
    var inputs = shapes.enumerated().map { graph.input("x\($0)", shape: $1) }
    if classes != nil { inputs.append(graph.input("labels", shape: [shapes[0][0]], dtype: .int32)) }
    let outputs = try graph.trace { graph in
      let y = build(inputs)
      guard y.dtype.isFloatingPoint else { return [y] }
      // A different weight for each element, so that a gradient that goes astray is seen.
      let weights = NDArray((0..<y.shape.elementCount).map { Float($0 % 7 + 1) }, shape: y.shape)
      return [y, graph.gradients(of: reduceSum(y * graph.constant(weights)), with: [inputs[0]])[0]]
    }
    let plan = try session.compile(graph, outputs: outputs, options: options)
    return { try plan($0, outputs: outputs.count).map(\.doubles) }
  }

  typealias NDArrays = [NDArray]

  func inputs(seed: UInt32) -> NDArrays {
    let subnormal = Float.leastNormalMagnitude / 128
    let special: [Float] = [.nan, .infinity, -.infinity, 0, -0, subnormal, -subnormal, 1, 1, -1]
    func uniform(_ stream: UInt32, _ index: Int) -> Double {
      Double(Philox.uniform(seed: seed, step: 0, stream: stream, index: UInt64(index)))
    }
    // Few rows of the first seeds hold a special number, most of the last.
    let share = 0.02 * Double(seed + 1)
    var arrays = shapes.enumerated().map { slot, shape in
      let stream = UInt32(3 * slot)
      return NDArray(
        (0..<shape.elementCount).map { i in
          uniform(stream, i) < share
            ? special[Int(uniform(stream + 1, i) * Double(special.count))] : Float(uniform(stream + 2, i) * 8 - 4)
        }, shape: shape)
    }
    if let classes {
      let labels = (0..<shapes[0][0]).map { Int32(uniform(99, $0) * Double(classes + 2)) - 1 }
      arrays.append(NDArray(labels, shape: [labels.count]))
    }
    return arrays
  }
}

private let activations: [(String, Activation)] = [
  ("relu", .relu), ("leakyReLU", .leakyReLU()), ("elu", .elu()), ("selu", .selu), ("gelu", .gelu), ("silu", .silu),
  ("sigmoid", .sigmoid), ("tanh", .tanh), ("softplus", .softplus), ("hardSwish", .hardSwish),
]

private let fuzzCases: [NonFiniteFuzzCase] =
  activations.map { name, activation in NonFiniteFuzzCase(name, [77]) { activation($0[0]) } } + [
    NonFiniteFuzzCase("expm1 and log1p", [77]) { expm1($0[0]) + log1p(abs($0[0])) },
    NonFiniteFuzzCase("maximum and minimum", [77], [77]) { maximum($0[0], $0[1]) + minimum($0[1], $0[0]) },
    NonFiniteFuzzCase("argMax of rows", [40, 11]) { argMax($0[0]) },
    NonFiniteFuzzCase("argMax of columns", [7, 41]) { argMax($0[0], axis: 0) },
    NonFiniteFuzzCase("max of rows", [40, 37]) { reduceMax($0[0], axes: [1]) },
    NonFiniteFuzzCase("max of columns", [9, 37]) { reduceMax($0[0], axes: [0]) },
    NonFiniteFuzzCase("sum of rows", [40, 37]) { reduceSum($0[0], axes: [1]) },
    NonFiniteFuzzCase("max pool", [2, 6, 8, 21]) { maxPool2D($0[0], size: 2) },
    NonFiniteFuzzCase("max pool of few channels", [2, 9, 8, 3]) { maxPool2D($0[0], size: 2) },
    NonFiniteFuzzCase("max pool that overlaps", [2, 7, 9, 21]) { maxPool2D($0[0], size: 3, stride: 2) },
    NonFiniteFuzzCase("softmax", [40, 21]) { softmax($0[0]) },
    NonFiniteFuzzCase("logSoftmax", [40, 21]) { logSoftmax($0[0]) },
    NonFiniteFuzzCase("cross entropy", [40, 21], classes: 21) { softmaxCrossEntropy($0[0], labels: $0[1]) },
    NonFiniteFuzzCase("smoothed cross entropy", [40, 21], classes: 21) {
      softmaxCrossEntropy($0[0], labels: $0[1], labelSmoothing: 0.1)
    },
    // Without negative targets, whose sums cancel.
    NonFiniteFuzzCase("dense cross entropy", [40, 21], [40, 21]) { softmaxCrossEntropy($0[0], labels: abs($0[1])) },
  ]

extension BackendTests {
  /// Every device agrees with the reference on what `Numerics` states.
  @Suite(.serialized) struct NonFiniteFuzzTests {
    @Test(arguments: TestBackend.allCases, fuzzCases)
    func agreesWithReference(_ backend: TestBackend, _ test: NonFiniteFuzzCase) throws {
      let (reference, tested) = (
        try test.compile(on: TestBackend.reference(), .plain), try test.compile(on: backend.session())
      )
      for seed in 0..<20 as Range<UInt32> {
        let inputs = test.inputs(seed: seed)
        for (output, (e, a)) in zip(try reference(inputs), try tested(inputs)).enumerated() {
          let wrong = e.indices.first { !isSame(a[$0], e[$0]) }
          if let wrong {
            Issue.record("seed \(seed), output \(output), element \(wrong): \(a[wrong]), reference \(e[wrong])")
            return
          }
        }
      }
    }

    private func isSame(_ a: Double, _ e: Double) -> Bool {
      e.isNaN || !e.isFinite ? a == e || a.isNaN && e.isNaN : abs(a - e) <= 1e-5 * max(abs(e), 1)
    }
  }
}
