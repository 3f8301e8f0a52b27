/// An operand of a kernel: where its elements are, and what they are.
package struct Operand<Buffer> {
  package var buffer: Buffer
  package var type: TensorType

  package init(buffer: Buffer, type: TensorType) {
    self.buffer = buffer
    self.type = type
  }
}

/// One operation to be bound to a device: operands in the order of the op, then those of the epilogue.
package struct Invocation<Buffer> {
  package var op: Op
  package var inputs: [Operand<Buffer>]
  package var output: Operand<Buffer>
  /// Applied to every element of the result: expression input 0 is the result, input i + 1 is `epilogueInputs[i]`.
  package var epilogue: Expr?
  package var epilogueInputs: [Operand<Buffer>]
  /// Windows of the result after the epilogue; `output` then is the pooled result.
  package var pooling: FusedPooling?
  /// What `prepare` chose for these types; `nil` where there is one way.
  package var schedule: (any KernelSchedule)?
  /// As many bytes as `prepare` asked for; `nil` for none.
  package var workspace: Buffer?
  package var label: String
  /// For each input that stays the same until parameters change: counts the changes, so that a kernel may keep what it
  /// makes of the input; `nil` for inputs of every run.
  package var versions: [ParameterVersion?]

  /// Type of the op's result, by which epilogue operands are indexed: that of `output`, or what a pooling reads.
  package var resultType: TensorType { pooling?.input ?? output.type }

  /// The schedule, of the kind that the op's `prepare` chooses from.
  package func chosen<S: KernelSchedule>(_ kind: S.Type = S.self) -> S {
    guard let schedule = schedule as? S else {
      preconditionFailure("\(op.name): bound by \(schedule.map { "\($0)" } ?? "nothing"), prepared as \(kind)")
    }
    return schedule
  }
}

/// How an epilogue's operand is indexed, told from its number of elements.
package enum EpilogueOperandKind {
  /// One element for all.
  case scalar
  /// One element for each index of the result's last axis.
  case channel
  /// As many elements as the result, in its order.
  case full

  package init(_ operand: TensorType, of result: TensorType) {
    self = operand.count == 1 ? .scalar : operand.count == result.count ? .full : .channel
  }
}

/// The seam between graphs and devices: all that a device has to provide.
///
/// A backend owns one in-order stream of work. Calls are confined to one thread at a time.
package protocol Backend: AnyObject {
  /// Device memory; views made by `slice` keep their parent alive.
  associatedtype Buffer
  /// An operation bound to its buffers: arguments set, geometry known; replayed any number of times.
  associatedtype Kernel

  /// The device as users read it, and what memory plans must respect.
  var device: DeviceDescription { get }

  /// Memory with undefined contents. Throws `outOfMemory` above the device's limits.
  func allocate(_ byteCount: Int) throws(BackendError) -> Buffer
  /// A view of part of a buffer; the range starts at a multiple of `device.alignment`.
  func slice(_ buffer: Buffer, _ range: Range<Int>) throws(BackendError) -> Buffer
  /// Host to device, in order with the kernels; the bytes may be reused on return.
  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) throws(BackendError)
  /// Device to host, after all that was run before: the only call that waits.
  func copy(_ buffer: Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError)

  /// What there is for an operation, its epilogue and its pooling: all that a plan has to know before it has memory.
  /// `nil` for leaves and views, and for an operation without a kernel, which is then decomposed.
  ///
  /// Asked several times while a graph is compiled; the last answer for a node is the one that its kernel is bound by.
  func prepare(_ request: KernelRequest) -> Prepared?
  /// Binds an operation by the schedule that was prepared for it.
  func kernel(for invocation: Invocation<Buffer>) throws(BackendError) -> Kernel
  /// Starts the kernels in order; may return before they end.
  func run(_ kernels: [Kernel]) throws(BackendError)
  /// Runs the kernels in order, waits for them, and tells the time of each launch of each kernel. `run` does not get
  /// slower by it.
  func profile(_ kernels: [Kernel]) throws(BackendError) -> [[RunProfile.Launch]]
}

/// What is known of a device.
public struct DeviceDescription: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable { case cpu, gpu, accelerator }

  /// `cpu`, or `opencl:0`: what `--device` takes.
  public var identifier: String
  public var name: String
  public var kind: Kind
  /// Backend and version: `oneDNN 2.6.3`, `OpenCL 3.0 PoCL ...`.
  public var driver: String
  public var computeUnits: Int
  public var memoryBytes: Int
  public var maximumAllocationBytes: Int
  /// Views of buffers start at multiples of this many bytes.
  public var alignment: Int
  /// Bytes that kernels which follow one another had best work on: about what stays in the cache that the cores share.
  /// Larger batches go through a graph in tiles. `Int.max`: no tiles. For plans only: it is not written.
  package var batchTileBytes = Int.max

  private enum CodingKeys: CodingKey {
    case identifier, name, kind, driver, computeUnits, memoryBytes, maximumAllocationBytes, alignment
  }

  public init(
    identifier: String, name: String, kind: Kind, driver: String, computeUnits: Int, memoryBytes: Int,
    maximumAllocationBytes: Int, alignment: Int
  ) {
    self.identifier = identifier
    self.name = name
    self.kind = kind
    self.driver = driver
    self.computeUnits = computeUnits
    self.memoryBytes = memoryBytes
    self.maximumAllocationBytes = maximumAllocationBytes
    self.alignment = alignment
  }
}
