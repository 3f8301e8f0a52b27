package import Apus

/// Runs of one operation on noise. Both operands are inputs, so that what a kernel does to its filter is part of a run,
/// as in training.
package final class OperationRuns: Workload {
  package let operations: Double
  private let session: any Session
  private let executable: any Executable
  /// Reading it waits for the device and moves next to nothing, unlike reading the result.
  private let fence = Parameter("fence", value: NDArray(Float(0)))

  package init(_ operation: Operation, on device: Device) throws {
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

  package var device: DeviceDescription { session.device }
  package func start() throws { try executable.run() }
  package func wait() throws { _ = try session.read(fence) }

  private static func noise(_ shape: [Int], stream: UInt32) -> NDArray {
    var random = PhiloxGenerator(seed: 0, stream: stream)
    return NDArray((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) }, shape: shape)
  }
}
