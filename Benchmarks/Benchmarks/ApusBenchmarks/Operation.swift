import Apus

/// A bilinear operation `y = f(a, b)`, forward or one of its gradients.
struct Operation: Sendable {
  enum Pass: String, CaseIterable, Sendable {
    case forward
    case inputGradient = "input gradient"
    case filterGradient = "filter gradient"
  }

  var name: String
  /// Shapes of `a` and `b`: images and filter of a convolution, or two matrices.
  var shapes: (a: [Int], b: [Int])
  /// Floating-point operations, a multiply-add counted as two; the same for all passes.
  var operations: Double
  var pass: Pass
  var forward: @Sendable (Tensor, Tensor) -> Tensor

  /// The result of the pass. The gradients are those of the sum of `y`'s elements: their incoming gradient is all ones,
  /// which the plan computes once and not in every run.
  func result(of a: Tensor, _ b: Tensor) -> Tensor {
    let y = forward(a, b)
    switch pass {
    case .forward: return y
    case .inputGradient: return a.graph.gradients(of: y, with: [a])[0]
    case .filterGradient: return a.graph.gradients(of: y, with: [b])[0]
    }
  }

  /// One case for each class of shapes that a CNN meets.
  static let all: [Operation] =
    // The gradient by a network's pictures is never computed.
    convolution(batch: 64, size: 28, channels: 1, filters: 32, window: 3, passes: [.forward, .filterGradient])
    + convolution(
      batch: 8, size: 224, channels: 3, filters: 64, window: 7, stride: 2, passes: [.forward, .filterGradient])
    + convolution(batch: 8, size: 56, channels: 64, filters: 64, window: 3)
    + convolution(batch: 8, size: 14, channels: 256, filters: 256, window: 3)
    + convolution(batch: 8, size: 7, channels: 512, filters: 512, window: 3)
    + convolution(batch: 8, size: 28, channels: 256, filters: 128, window: 1)
    + convolution(batch: 8, size: 56, channels: 128, filters: 128, window: 3, groups: 128)
    + Pass.allCases.map { product("dense", 64, 1600, 128, $0) }
    + [product("product", 1024, 1024, 1024, .forward)]

  /// Of square images, padded so that a stride of 1 keeps their size.
  private static func convolution(
    batch: Int, size: Int, channels: Int, filters: Int, window: Int, stride: Int = 1, groups: Int = 1,
    passes: [Pass] = Pass.allCases
  ) -> [Operation] {
    var name = "convolution \(window)x\(window) \(size)x\(size)x\(channels) to \(filters)"
    if stride > 1 { name += " stride \(stride)" }
    if groups > 1 { name += groups == channels ? " depthwise" : " groups \(groups)" }
    let filter = [window, window, channels / groups, filters]
    let output = [batch, (size + stride - 1) / stride, (size + stride - 1) / stride]
    return passes.map { pass in
      Operation(
        name: "\(name) batch \(batch) \(pass.rawValue)", shapes: ([batch, size, size, channels], filter),
        operations: 2 * (output + filter).map(Double.init).reduce(1, *), pass: pass
      ) { x, filter in conv2D(x, filter, stride: (stride, stride), padding: .same, groups: groups) }
    }
  }

  private static func product(_ name: String, _ m: Int, _ k: Int, _ n: Int, _ pass: Pass) -> Operation {
    Operation(
      name: "\(name) \(m)x\(k) by \(k)x\(n) \(pass.rawValue)", shapes: ([m, k], [k, n]),
      operations: 2 * Double(m) * Double(k) * Double(n), pass: pass
    ) { a, b in matMul(a, b) }
  }
}

/// Runs of one operation on noise. Both operands are inputs, so that what a kernel does to its filter is part of a run,
/// as in training.
final class OperationRuns: Workload {
  let operations: Double
  private let session: any Session
  private let executable: any Executable
  /// Reading it waits for the device and moves next to nothing, unlike reading the result.
  private let fence = Parameter("fence", value: NDArray(Float(0)))

  init(_ operation: Operation, on device: Device) throws {
    operations = operation.operations
    session = try device.openSession()
    let graph = Graph()
    let result = try graph.trace { graph in
      operation.result(
        of: graph.input("a", shape: operation.shapes.a), graph.input("b", shape: operation.shapes.b))
    }
    executable = try session.compile(graph, outputs: [result])
    for (index, input) in executable.inputs.enumerated() {
      try executable.setInput(index, Self.noise(input.type.shape, stream: UInt32(index)))
    }
  }

  var device: DeviceDescription { session.device }
  func start() throws { try executable.run() }
  func wait() throws { _ = try session.read(fence) }

  private static func noise(_ shape: [Int], stream: UInt32) -> NDArray {
    var random = PhiloxGenerator(seed: 0, stream: stream)
    return NDArray((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) }, shape: shape)
  }
}
