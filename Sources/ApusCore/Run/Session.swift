/// How a graph is compiled. Turning fusion or memory reuse off gives the same numbers, slower.
public struct CompileOptions: Sendable, Hashable, Codable {
  /// Pointwise chains and epilogues become one kernel.
  public var fuses = true
  /// Values that are never alive together share memory.
  public var reusesMemory = true
  /// Runs node by node, unfused, and throws at the first NaN or infinity, naming the node and its layer.
  public var checksNumbers = false

  /// Samples of the batch that pass through the graph together, so that what they leave behind stays in the cache;
  /// `nil`: as many as suit the graph and the device, often all.
  public var batchTileRows: Int?

  public init() {}

  /// The checked mode: `checksNumbers`, all else as usual.
  public static var checked: CompileOptions {
    var options = CompileOptions()
    options.checksNumbers = true
    return options
  }
}

/// A device in use: it compiles graphs and holds the values of parameters. Made by `Device.openSession()`.
///
/// Confined to one thread at a time.
public protocol Session: AnyObject {
  var device: DeviceDescription { get }
  /// Device memory in use by parameters and plans, now and at most, in bytes.
  var allocatedBytes: Int { get }
  var peakBytes: Int { get }

  /// Fuses, plans and binds `graph` so that it can be run any number of times.
  ///
  /// - Throws: `GraphError` for a mistake recorded while tracing, `BackendError` from the device.
  func compile(_ graph: Graph, outputs: [Tensor], options: CompileOptions) throws -> any Executable
  /// The current value of a parameter; waits for the device.
  func read(_ parameter: Parameter) throws -> NDArray
  /// Replaces the current value of a parameter.
  func write(_ value: NDArray, to parameter: Parameter) throws
  /// Forgets a parameter, so that its device memory goes with the last plan that uses it. What is compiled or read later
  /// places it again, with the value that it has on the host.
  func release(_ parameter: Parameter)
}

extension Session {
  /// Compiles with the default options; see `compile(_:outputs:options:)`.
  public func compile(_ graph: Graph, outputs: [Tensor] = []) throws -> any Executable {
    try compile(graph, outputs: outputs, options: CompileOptions())
  }
}

extension Session {
  /// Allocates and fills the device's memory of `parameters`.
  package func place(_ parameters: [Parameter]) throws {
    let graph = Graph()
    _ = try compile(graph, outputs: parameters.map { graph.parameter($0) })
  }
}

/// A compiled graph with an explicit signature: inputs in, kernels run, outputs out.
public protocol Executable: AnyObject {
  /// Names and types of the inputs, in the order of their declaration.
  var inputs: [(name: String, type: TensorType)] { get }
  /// Number of kernels that one run starts.
  var launchCount: Int { get }
  /// Device memory of the plan without parameters, in bytes.
  var plannedBytes: Int { get }
  /// The fused graph with memory locations and the schedules that kernels were chosen by, one line a node.
  var listing: String { get }

  /// Sets input `index` for the runs that follow.
  func setInput(_ index: Int, _ value: NDArray) throws
  /// Sets input `index` for the runs that follow to elements in row-major order. Allocates nothing.
  func setInput<T: Element>(_ index: Int, _ elements: Span<T>) throws
  /// Starts one run; may return before it ends.
  func run() throws
  /// Runs once, waits, and tells the time of each launch.
  ///
  /// - Throws: `BackendError` of code `unsupported` from a device that cannot measure it.
  func profile() throws -> RunProfile
  /// Output `index` of the last run; waits for the device.
  func output(_ index: Int) throws -> NDArray
  /// What `observe(name)` marked, of the last run; waits for the device.
  func observation(_ name: String) throws -> NDArray?
}

extension Executable {
  /// Sets all inputs in order, runs, and reads all outputs.
  public func callAsFunction(_ values: [NDArray], outputs count: Int = 1) throws -> [NDArray] {
    for (index, value) in values.enumerated() { try setInput(index, value) }
    try run()
    return try (0..<count).map(output)
  }
}

/// The session of any backend.
package final class BackendSession<B: Backend>: Session {
  package let backend: B
  package private(set) var allocatedBytes = 0
  package private(set) var peakBytes = 0
  private var buffers: [ObjectIdentifier: (parameter: Parameter, buffer: B.Buffer, version: ParameterVersion)] = [:]

  package init(_ backend: B) { self.backend = backend }

  package var device: DeviceDescription { backend.device }

  package func compile(_ graph: Graph, outputs: [Tensor], options: CompileOptions) throws -> any Executable {
    if let failure = graph.failure { throw failure }
    return try Plan(graph, outputs: outputs, options: options, session: self)
  }

  package func read(_ parameter: Parameter) throws -> NDArray {
    let buffer = try buffer(of: parameter)
    return try read(buffer, parameter.type)
  }

  package func write(_ value: NDArray, to parameter: Parameter) throws {
    let buffer = try buffer(of: parameter)
    try value.bytes.withUnsafeBytes { try backend.copy($0, to: buffer) }
    try version(of: parameter).advance()
  }

  /// Counts the changes of the parameter's memory.
  func version(of parameter: Parameter) throws(BackendError) -> ParameterVersion {
    _ = try buffer(of: parameter)
    return buffers[ObjectIdentifier(parameter)]!.version
  }

  package func release(_ parameter: Parameter) {
    guard buffers.removeValue(forKey: ObjectIdentifier(parameter)) != nil else { return }
    if parameter.home == nil { release(parameter.type.byteCount) }
    if parameter.session === self { parameter.session = nil }
  }

  func read(_ buffer: B.Buffer, _ type: TensorType) throws -> NDArray {
    var bytes = [UInt8](repeating: 0, count: type.byteCount)
    if !bytes.isEmpty { try bytes.withUnsafeMutableBytes { try backend.copy(buffer, to: $0) } }
    return NDArray(bytes: bytes, shape: type.shape, dtype: type.dtype)!
  }

  /// Allocates and counts.
  func allocate(_ byteCount: Int) throws(BackendError) -> B.Buffer {
    let buffer = try backend.allocate(max(byteCount, 1))
    allocatedBytes += byteCount
    peakBytes = max(peakBytes, allocatedBytes)
    return buffer
  }

  func release(_ byteCount: Int) { allocatedBytes -= byteCount }

  /// The parameter's memory; made and filled with the initial value at first use.
  func buffer(of parameter: Parameter) throws(BackendError) -> B.Buffer {
    if let known = buffers[ObjectIdentifier(parameter)] { return known.buffer }
    let type = parameter.type
    let buffer: B.Buffer
    if let home = parameter.home {
      let start = home.offset * type.dtype.byteCount
      buffer = try backend.slice(self.buffer(of: home.arena), start..<(start + type.byteCount))
    } else {
      buffer = try allocate(type.byteCount)
    }
    let value = parameter.initialValue
    try upload(value, to: buffer)
    let version = try parameter.home.map { home throws(BackendError) in try self.version(of: home.arena) }
    buffers[ObjectIdentifier(parameter)] = (parameter, buffer, version ?? ParameterVersion())
    version?.advance()
    parameter.session = self
    return buffer
  }

  func upload(_ value: NDArray, to buffer: B.Buffer) throws(BackendError) {
    guard value.byteCount > 0 else { return }
    let result: Result<Void, BackendError> = value.bytes.withUnsafeBytes { bytes in
      do throws(BackendError) {
        try backend.copy(bytes, to: buffer)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}
