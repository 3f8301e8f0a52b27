import ApusCases
import ApusCore
import Testing

/// A computation whose first input holds one NaN.
struct NonFiniteCase: Sendable, CustomTestStringConvertible {
  let name: String
  let shapes: [[Int]]
  /// The NaN's place in the first input.
  let position: Int
  let build: @Sendable ([Tensor]) -> Tensor

  init(_ name: String, _ shapes: [Int]..., position: Int, _ build: @escaping @Sendable ([Tensor]) -> Tensor) {
    self.name = name
    self.shapes = shapes
    self.position = position
    self.build = build
  }

  var testDescription: String { name }

  /// Indices of the result's elements that are NaN.
  func placesOfNaN(on session: any Session, options: CompileOptions = .init()) throws -> [Int] {
    let graph = Graph()
    let inputs = shapes.enumerated().map { index, shape in graph.input("x\(index)", shape: shape) }
    let result = try graph.trace { _ in build(inputs) }
    let values = shapes.enumerated().map { index, shape in
      var elements = OperationCase.Input.real(shape).array(stream: UInt32(index)).values(as: Float.self)
      if index == 0 { elements[position] = .nan }
      return NDArray(elements, shape: shape)
    }
    let elements = try session.compile(graph, outputs: [result], options: options)(values)[0].doubles
    return elements.indices.filter { elements[$0].isNaN }
  }
}

/// Long enough for the vectors and the remainders of every kernel; the NaN is neither first nor last in its window.
private let nonFiniteCases: [NonFiniteCase] =
  [
    ("relu", Activation.relu), ("leakyReLU", .leakyReLU()), ("elu", .elu()), ("gelu", .gelu), ("silu", .silu),
    ("sigmoid", .sigmoid), ("tanh", .tanh), ("softplus", .softplus), ("hardSwish", .hardSwish),
  ].flatMap { name, activation in
    // In a whole vector, and in the elements that are left over.
    [3, 36].map { position in
      NonFiniteCase("\(name) at \(position)", [37], position: position) { activation($0[0]) }
    }
  } + [
    NonFiniteCase("maximum", [37], [37], position: 5) { maximum($0[0], $0[1]) },
    NonFiniteCase("minimum", [37], [37], position: 5) { minimum($0[0], $0[1]) },
    NonFiniteCase("conv2D bias relu", [1, 6, 7, 3], [3, 3, 3, 20], [20], position: 40) {
      relu(conv2D($0[0], $0[1], padding: .same) + $0[2])
    },
    NonFiniteCase("conv2D relu", [1, 6, 7, 3], [3, 3, 3, 20], position: 40) { relu(conv2D($0[0], $0[1])) },
    NonFiniteCase("conv2D relu max pool", [1, 9, 9, 3], [1, 1, 3, 20], position: 150) {
      maxPool2D(relu(conv2D($0[0], $0[1])), size: 2)
    },
    NonFiniteCase("depthwise relu", [1, 6, 7, 20], [3, 3, 1, 20], position: 40) {
      relu(conv2D($0[0], $0[1], groups: 20))
    },
    NonFiniteCase("dense bias relu", [5, 33], [33, 21], [21], position: 40) { relu(matMul($0[0], $0[1]) + $0[2]) },
    NonFiniteCase("max pool", [1, 4, 6, 37], position: 40) { maxPool2D($0[0], size: 2) },
    NonFiniteCase("max pool that overlaps", [1, 6, 6, 5], position: 67) { maxPool2D($0[0], size: 3, stride: 2) },
    NonFiniteCase("average pool", [1, 4, 6, 37], position: 40) { pool2D($0[0], .average, size: (2, 2)) },
    NonFiniteCase("relu of max pool", [1, 4, 6, 20], position: 30) { relu(maxPool2D($0[0], size: 2)) },
    NonFiniteCase("max of rows", [3, 37], position: 50) { reduceMax($0[0], axes: [1]) },
    NonFiniteCase("max of columns", [5, 37], position: 50) { reduceMax($0[0], axes: [0]) },
    NonFiniteCase("mean", [3, 37], position: 50) { reduceMean($0[0]) },
    NonFiniteCase("softmax", [3, 37], position: 50) { softmax($0[0]) },
    NonFiniteCase("logSoftmax", [3, 37], position: 50) { logSoftmax($0[0]) },
    NonFiniteCase("network", [2, 10, 10, 1], [3, 3, 1, 8], [32 * 4, 10], position: 55) {
      let y = maxPool2D(relu(conv2D($0[0], $0[1])), size: 2).flattened()
      return reduceMean(logSoftmax(relu(matMul(y, $0[2]))))
    },
  ]

extension BackendTests {
  /// A NaN stays one on its way to the loss, where training notices it: on every device, at the same elements.
  @Suite(.serialized) struct NonFiniteTests {
    @Test(arguments: TestBackend.allCases, nonFiniteCases)
    func isKept(_ backend: TestBackend, _ test: NonFiniteCase) throws {
      let expected = try test.placesOfNaN(on: TestBackend.reference(), options: .plain)
      let places = try test.placesOfNaN(on: backend.session())
      #expect(!expected.isEmpty)
      #expect(places == expected)
    }
  }
}
