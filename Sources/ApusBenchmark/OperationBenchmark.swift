import ApusCases
import ApusCore

/// A pass of a convolution or a product as large as those of networks.
public struct OperationBenchmark: Sendable {
  public let name: String
  /// Floating-point operations, a multiply-add counted as two; the same for all passes.
  public let operations: Double
  /// Bytes of both operands and the forward result: a gradient reads two of them and writes the third.
  public let bytes: Int
  let test: OperationCase
  /// The input that the result is differentiated by; `nil`: the result itself.
  let differentiated: Int?

  /// One case for each class of shapes that a CNN meets.
  public static var all: [OperationBenchmark] { CaseCatalog.networks.flatMap(passes) }

  /// The convolutions and products of the networks that Apus is measured by, the heaviest kinds first.
  public static func ofNetworks(batchSize: Int) -> [OperationBenchmark] {
    CaseCatalog.networks(batch: batchSize).flatMap(passes)
  }

  /// The passes of a convolution of square images, padded so that a stride of 1 keeps their size.
  public static func convolution(
    batch: Int, size: Int, channels: Int, filters: Int, window: Int, stride: Int = 1, groups: Int = 1
  ) -> [OperationBenchmark] {
    passes(
      of: .convolution(
        batch: batch, size: size, channels: channels, filters: filters, window: window, stride: stride, groups: groups))
  }

  /// The passes of a product of a matrix [m, k] and a matrix [k, n].
  public static func product(_ name: String, _ m: Int, _ k: Int, _ n: Int) -> [OperationBenchmark] {
    passes(of: .product(name, m, k, n))
  }

  private static func passes(of test: OperationCase) -> [OperationBenchmark] {
    let graph = Graph()
    let inputs = test.declareInputs(in: graph)
    let bytes = (inputs + [test.build(inputs)]).reduce(0) { $0 + $1.type.byteCount }
    return ([nil] + inputs.indices.filter { test.inputs[$0].isDifferentiable }).map { input in
      let pass = input.map { ["input gradient", "filter gradient"][$0] } ?? "forward"
      return OperationBenchmark(
        name: "\(test.name) \(pass)", operations: graph.contractionOperations, bytes: bytes, test: test,
        differentiated: input)
    }
  }

  /// What is computed. The gradients are those of the sum of the result's elements: their incoming gradient is all ones,
  /// which the plan computes once and not in every run.
  func result(in graph: Graph) -> Tensor {
    let inputs = test.declareInputs(in: graph)
    let result = test.build(inputs)
    return differentiated.map { graph.gradients(of: result, with: [inputs[$0]])[0] } ?? result
  }
}
