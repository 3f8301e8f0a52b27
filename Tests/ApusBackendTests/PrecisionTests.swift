import ApusCore
import ApusNN
import ApusSafetensors
import Foundation
import Testing

/// Values and gradients in float64, and the error of PyTorch's float32, made by `Tests/Fixtures/precision.py`.
struct PrecisionCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Of `x`, `y`, `dx`, `y_error` and `dx_error`.
  let tensors: [String: NDArray]

  var testDescription: String { name }

  static let all: [PrecisionCase] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let path = folder.appending(path: "Fixtures/precision.safetensors").path
    guard let (tensors, metadata) = try? Safetensors.read(from: path) else { return [] }
    return metadata.keys.sorted().map { name in
      let own = tensors.filter { $0.name.hasPrefix(name + ".") }
      return PrecisionCase(
        name: name,
        tensors: Dictionary(uniqueKeysWithValues: own.map { (String($0.name.dropFirst(name.count + 1)), $0.array) }))
    }
  }()

  /// What is computed: the name without the size of the inputs.
  func build(_ x: Tensor) throws -> Tensor {
    let labels = (0..<x.shape[0]).map { Int32($0 % 10) }
    func classes(_ graph: Graph) -> Tensor { graph.constant(NDArray(labels, shape: [labels.count])) }
    func table(_ graph: Graph, _ value: (Int, Int) -> Float) -> Tensor {
      graph.constant(NDArray((0..<100).map { value($0 / 10, $0 % 10) }, shape: [10, 10]))
    }
    let activations: [String: Activation] = [
      "relu": .relu, "leakyReLU": .leakyReLU(), "elu": .elu(), "selu": .selu, "gelu": .gelu, "silu": .silu,
      "sigmoid": .sigmoid, "tanh": .tanh, "softplus": .softplus, "hardSwish": .hardSwish,
    ]
    let op = String(name.prefix { $0 != "." })
    if let activation = activations[op] { return activation(x) }
    switch op {
    case "expm1": return expm1(x.map { .min($0, 1.5) })
    case "log1p": return log1p(abs(x))
    case "softmax": return softmax(x)
    case "logSoftmax": return logSoftmax(x)
    case "crossEntropy": return softmaxCrossEntropy(x, labels: classes(x.graph))
    case "smoothedCrossEntropy": return softmaxCrossEntropy(x, labels: classes(x.graph), labelSmoothing: 0.125)
    case "denseCrossEntropy":
      return softmaxCrossEntropy(x, labels: table(x.graph) { [0.5, 0.25, 0.25][safe: ($1 - $0 + 10) % 10] ?? 0 })
    case "binaryCrossEntropy": return BinaryCrossEntropy()(x, table(x.graph) { $1 <= $0 ? 1 : 0 })
    default: throw UnknownCase(name: name)
    }
  }

  struct UnknownCase: Error { let name: String }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension BackendTests {
  /// Activations, softmaxes and losses from 1e-8 to 1e4 (softmaxes: 1e6) are at most 20 times as far from float64 as
  /// PyTorch's float32: in that element of an activation, in the worst element where rows are summed, for there the
  /// terms' rounding does not shrink with the result. What is exact by chance counts as off by half a unit in the last
  /// place.
  @Suite(.serialized) struct PrecisionTests {
    /// What `1 - sigmoid(x)` and its like are off by in the expected values themselves.
    static let errorOfFloat64 = 0x1p-53

    @Test func casesExist() { #expect(PrecisionCase.all.count == 60) }

    @Test(arguments: TestBackend.allCases, PrecisionCase.all)
    func errorIsLikePyTorchs(_ backend: TestBackend, _ test: PrecisionCase) throws {
      let x = try #require(test.tensors["x"])
      let graph = Graph()
      let outputs = try graph.trace { graph in
        let input = graph.input("x", shape: x.shape)
        let y = try test.build(input)
        let weights = NDArray((0..<y.shape.elementCount).map { Float($0 % 7 + 1) }, shape: y.shape)
        return [y, graph.gradients(of: reduceSum(y * graph.constant(weights)), with: [input])[0]]
      }
      let results = try backend.session().compile(graph, outputs: outputs)([x], outputs: 2)
      for (name, result) in zip(["y", "dx"], results) {
        let expected = try #require(test.tensors[name]), error = try #require(test.tensors[name + "_error"])
        let worst = x.shape.count > 1 ? error.doubles.max() : nil
        let errors = error.doubles
        for (i, (a, e)) in zip(result.doubles, expected.doubles).enumerated() {
          let unit = max(worst ?? errors[i], 0x1p-24 * abs(e), Self.errorOfFloat64)
          #expect(abs(a - e) <= 20 * unit, "\(name)[\(i)]: \(a), expected \(e): \(abs(a - e) / unit) times the error")
        }
      }
    }
  }
}
