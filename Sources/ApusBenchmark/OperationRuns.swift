import ApusCases
public import ApusCore
public import ApusDevices

/// Runs of one operation on noise. Both operands are inputs, so that what a kernel does to its filter is part of a run,
/// as in training.
public final class OperationRuns: Workload {
  public let operations: Double
  private let session: any Session
  private let executable: any Executable
  /// Reading it waits for the device and moves next to nothing, unlike reading the result.
  private let fence = Parameter("fence", value: NDArray(Float(0)))

  /// Opens the device and compiles the operation.
  public init(_ benchmark: OperationBenchmark, on device: Device) throws {
    operations = benchmark.operations
    session = try device.openSession()
    let graph = Graph()
    executable = try session.compile(graph, outputs: [graph.trace(benchmark.result)])
    for (index, value) in benchmark.test.values().enumerated() { try executable.setInput(index, value) }
  }

  public var device: DeviceDescription { session.device }
  public func start() throws { try executable.run() }
  public func wait() throws { _ = try session.read(fence) }
}
