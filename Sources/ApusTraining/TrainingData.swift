import ApusCore
import ApusData
import ApusNN

/// Where the samples lie during training.
public enum DataPlacement: String, Sendable, Hashable, Codable {
  /// On the device if they take less than a share of its free memory, else on the host.
  case automatic
  /// All on the device, from the first step to the last.
  case device
  /// On the host; batches are uploaded while the device computes.
  case host

  /// What data may take of the device's free memory; the rest is for activations and other data.
  ///
  /// Less where the device computes in the host's memory, as the host keeps the data, too.
  static func share(on device: DeviceDescription) -> Double { device.kind == .cpu ? 0.25 : 0.5 }

  /// Whether arrays of `byteCounts` may stay on `device`, of whose memory `used` bytes are taken.
  static func fits(_ byteCounts: [Int], on device: DeviceDescription, used: Int) -> Bool {
    let room = share(on: device) * Double(max(device.memoryBytes - used, 0))
    return byteCounts.allSatisfy { $0 <= device.maximumAllocationBytes } && Double(byteCounts.reduce(0, +)) <= room
  }
}

/// Samples as a step takes them. Wherever they lie, the same order gives the same batches, bit by bit.
protocol TrainingData: AnyObject {
  var source: any Dataset { get }
  /// `device` or `host`.
  var placement: DataPlacement { get }
  /// What a compiled step depends on.
  var identity: StepKey.Data { get }

  /// Declares what a batch is made of.
  func batch(of size: Int, in graph: Graph) -> TracedBatch
  /// A pass over the samples `order`.
  func feed(_ order: [Int32], _ batches: Batches) -> any BatchFeed
  /// Gives back the device's memory.
  func release(from session: any Session)
}

/// A batch in a graph.
struct TracedBatch {
  /// Each `[size, ...]`.
  var inputs: [Tensor]
  /// Each `[size, ...]`.
  var targets: [Tensor]
  /// The graph's inputs from which it is made, in the order in which a feed takes their indices.
  var fed: [Tensor]
}

extension TrainingData {
  /// What users call it, for messages.
  var name: String { source.name }
  var count: Int { source.count }
}

/// The batches of a pass, one after the other.
protocol BatchFeed: AnyObject {
  /// Seconds that the steps so far had to wait for their batch.
  var waitedSeconds: Double { get }
  /// Sets the inputs `indices` of `executable`, those that the batch is made of, to the next batch. Must not be called
  /// after the last batch or an error.
  func setNext(_ indices: [Int], of executable: any Executable) throws
  /// After the last batch: begins the pass again.
  func restart()
}

/// Data that stays on the device: a step gathers its batch by index.
final class ResidentData: TrainingData {
  let source: any Dataset
  let placement = DataPlacement.device
  var identity: StepKey.Data { .resident(ObjectIdentifier(self)) }
  private let inputs: [Parameter]
  private let targets: [Parameter]

  /// - Throws: `BackendError` when the device has no room.
  init(_ source: ArrayDataset, session: any Session) throws {
    self.source = source
    func parameters(_ name: String, _ arrays: [NDArray]) -> [Parameter] {
      arrays.enumerated().map { Parameter(numbered(name, $0), value: $1, isTrainable: false) }
    }
    inputs = parameters("inputs", source.inputArrays)
    targets = parameters("targets", source.targetArrays)
    try session.place(inputs + targets)
  }

  func batch(of size: Int, in graph: Graph) -> TracedBatch {
    let indices = graph.feed("indices", shape: [size], dtype: .int32)
    func rows(_ parameter: Parameter) -> Tensor { gather(graph.parameter(parameter), indices) }
    return TracedBatch(inputs: inputs.map(rows), targets: targets.map(rows), fed: [indices])
  }

  func feed(_ order: [Int32], _ batches: Batches) -> any BatchFeed { Feed(order, batches) }

  func release(from session: any Session) {
    for parameter in inputs + targets { session.release(parameter) }
  }

  private final class Feed: BatchFeed {
    let waitedSeconds = 0.0
    private let order: [Int32]
    private let batches: Batches
    private var step = 0

    init(_ order: [Int32], _ batches: Batches) { (self.order, self.batches) = (order, batches) }

    func setNext(_ indices: [Int], of executable: any Executable) throws {
      let order = order
      try executable.setInput(indices[0], order.span.extracting(batches.range(step)))
      step += 1
    }

    func restart() { step = 0 }
  }
}

/// Data that stays on the host: a step is given the samples themselves, which a thread has gathered before.
final class StreamedData: TrainingData {
  let source: any Dataset
  let placement = DataPlacement.host
  var identity: StepKey.Data { .streamed(inputs: source.inputs, targets: source.targets) }
  /// Of the labels that are not checked yet.
  private let labels: [LabelCheck]

  init(_ source: any Dataset, labels: [LabelCheck] = []) { (self.source, self.labels) = (source, labels) }

  func batch(of size: Int, in graph: Graph) -> TracedBatch {
    let inputs = graph.feeds("inputs", source.inputs, batchSize: size)
    let targets = graph.feeds("targets", source.targets, batchSize: size)
    return TracedBatch(inputs: inputs, targets: targets, fed: inputs + targets)
  }

  func feed(_ order: [Int32], _ batches: Batches) -> any BatchFeed {
    PrefetchingLoader(source, order, batches, labels: labels)
  }

  func release(from session: any Session) {}
}

extension Graph {
  /// Inputs that take batches of samples of these types.
  func feeds(_ name: String, _ types: [TensorType], batchSize: Int) -> [Tensor] {
    types.enumerated().map { feed(numbered(name, $0), shape: [batchSize] + $1.shape, dtype: $1.dtype) }
  }
}
