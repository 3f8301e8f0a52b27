/// Where the time of one run of an executable went: its operations in the order in which they ran.
public struct RunProfile: Sendable {
  /// A kernel that the device ran.
  public struct Launch: Sendable {
    /// The kernel's entry point; on the processor, the operation's name.
    public var name: String
    /// Seconds since the start of the run's first launch, by the device's clock.
    public var start: Double
    /// Seconds from start to end on the device.
    public var duration: Double

    package init(name: String, start: Double, duration: Double) {
      self.name = name
      self.start = start
      self.duration = duration
    }
  }

  /// A node of the fused graph and the launches that compute it, one or a few.
  public struct Operation: Sendable {
    /// Name of the op, such as `conv2D`.
    public var name: String
    /// The layer that it belongs to; gradients carry their layer's name. Empty outside of layers.
    public var label: String
    /// The node as `Executable.listing` shows it.
    public var line: String
    public var inputs: [TensorType]
    public var output: TensorType
    /// Of a convolution or product, a multiply-add counted as two; 0 for other operations.
    public var floatingPointOperations: Double
    /// Least bytes to read and write: every operand once, and the result.
    public var byteCount: Int
    public var launches: [Launch]
    /// What the device was asked for.
    package var request: KernelRequest

    /// Sum over the launches, in seconds.
    public var duration: Double { launches.reduce(0) { $0 + $1.duration } }
  }

  public var operations: [Operation]

  public var launches: [Launch] { operations.flatMap(\.launches) }
  /// Sum over all launches, in seconds.
  public var duration: Double { operations.reduce(0) { $0 + $1.duration } }
}

extension RunProfile.Operation {
  /// What `launches` of node `id` computed.
  init(_ node: Graph.Node, _ id: Int, in nodes: [Graph.Node], launches: [RunProfile.Launch]) {
    name = node.op.name
    label = node.label
    line = node.line(id)
    inputs = node.inputs.map { nodes[$0].type }
    output = node.type
    floatingPointOperations = node.contractionOperations(in: nodes)
    byteCount = node.transferredBytes(in: nodes)
    self.launches = launches
    request = KernelRequest(node, in: nodes)
  }
}

extension [Double] {
  /// The middle of the values, of which there is at least one; the mean of the middle two of an even number.
  package var median: Double {
    let sorted = sorted()
    let middle = count / 2
    return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
