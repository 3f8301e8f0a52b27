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
  /// `[size, ...]`
  var inputs: Tensor
  /// `[size, ...]`
  var targets: Tensor
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
  private let inputs: Parameter
  private let targets: Parameter

  /// - Throws: `BackendError` when the device has no room.
  init(_ source: ArrayDataset, session: any Session) throws {
    self.source = source
    inputs = Parameter("inputs", value: source.inputs, isTrainable: false)
    targets = Parameter("targets", value: source.targets, isTrainable: false)
    try session.place([inputs, targets])
  }

  func batch(of size: Int, in graph: Graph) -> TracedBatch {
    let indices = graph.feed("indices", shape: [size], dtype: .int32)
    return TracedBatch(
      inputs: gather(graph.parameter(inputs), indices), targets: gather(graph.parameter(targets), indices),
      fed: [indices])
  }

  func feed(_ order: [Int32], _ batches: Batches) -> any BatchFeed { Feed(order, batches) }

  func release(from session: any Session) {
    for parameter in [inputs, targets] { session.release(parameter) }
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
  var identity: StepKey.Data { .streamed(input: source.input, target: source.target) }
  /// How many classes the labels may be of; `nil` where they are checked, or are none.
  private let classes: Int?

  init(_ source: any Dataset, classes: Int? = nil) { (self.source, self.classes) = (source, classes) }

  func batch(of size: Int, in graph: Graph) -> TracedBatch {
    let (input, target) = (source.input, source.target)
    let inputs = graph.feed("inputs", shape: [size] + input.shape, dtype: input.dtype)
    let targets = graph.feed("targets", shape: [size] + target.shape, dtype: target.dtype)
    return TracedBatch(inputs: inputs, targets: targets, fed: [inputs, targets])
  }

  func feed(_ order: [Int32], _ batches: Batches) -> any BatchFeed {
    PrefetchingLoader(source, order, batches, classes: classes)
  }

  func release(from session: any Session) {}
}
