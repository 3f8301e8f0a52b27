import ApusCore
import ApusData
import Dispatch
import Synchronization

/// Gathers batches on a thread of its own, a few ahead of the steps that take them.
///
/// Buffers go round in a ring: the thread fills an empty one and sends it, and gets it back when the step after has
/// begun. Dropping the loader ends the thread at its next buffer.
final class PrefetchingLoader: BatchFeed {
  /// One with the step, one on its way, and two to even out batches that take longer.
  private static let bufferCount = 4

  private(set) var waitedSeconds = 0.0
  private let source: any Dataset
  private let order: [Int32]
  private let batches: Batches
  private let labels: [LabelCheck]
  /// Of a sample's inputs, then its targets.
  private let types: [TensorType]
  private let empty = Channel<Buffer>()
  private let full = Channel<Result<Buffer, any Error>>()
  /// With the step that runs.
  private var current: Buffer?

  /// - Parameter labels: checks of each sample's targets.
  init(_ source: any Dataset, _ order: [Int32], _ batches: Batches, labels: [LabelCheck] = []) {
    (self.source, self.order, self.batches, self.labels) = (source, order, batches, labels)
    types = source.inputs + source.targets
    for _ in 0..<min(Self.bufferCount, batches.steps) { empty.send(Buffer()) }
    restart()
  }

  func restart() {
    DispatchQueue(label: "apus.loader", qos: .userInitiated).async {
      [source, order, batches, labels, types, empty, full] in
      for step in 0..<batches.steps {
        guard var buffer = empty.receive() else { return }
        do {
          try buffer.fill(from: source, types, order[batches.range(step)], labels)
          full.send(.success(buffer))
        } catch {
          full.send(.failure(error))
          return
        }
      }
    }
  }

  deinit { empty.close() }

  /// - Throws: what the source threw for a sample of this batch.
  func setNext(_ indices: [Int], of executable: any Executable) throws {
    if let buffer = current.take() { empty.send(buffer) }
    let start = ContinuousClock.now
    guard let result = full.receive() else { preconditionFailure("full is never closed") }
    waitedSeconds += start.duration(to: .now).seconds
    let buffer = try result.get()
    current = buffer
    for (part, type) in types.enumerated() {
      let array = NDArray(bytes: buffer.parts[part], shape: [buffer.count] + type.shape, dtype: type.dtype)!
      try executable.setInput(indices[part], array)
    }
  }
}

/// The samples of a batch, as bytes: of each input, then each target.
private struct Buffer: Sendable {
  private(set) var count = 0
  private(set) var parts: [[UInt8]] = []

  /// Reads the samples `indices`, by several threads where that pays.
  ///
  /// - Throws: the error of the first sample that has one.
  mutating func fill(
    from source: any Dataset, _ types: [TensorType], _ indices: ArraySlice<Int32>, _ labels: [LabelCheck]
  ) throws {
    count = indices.count
    let byteCounts = types.map { $0.byteCount * indices.count }
    if parts.map(\.count) != byteCounts { parts = byteCounts.map { [UInt8](repeating: 0, count: $0) } }
    let failures = Mutex<[(sample: Int, error: any Error)]>([])
    let (chunk, inputCount) = (source.samplesWorthATask, source.inputs.count)
    withMemory(of: &parts) { memory in
      let first = zip(memory, types).map { UnsafeMutableRawBufferPointer(rebasing: $0[..<$1.byteCount]) }
      // Each task writes its own samples, and all end before this call does.
      nonisolated(unsafe) let batch = Sample(
        inputs: Array(first[..<inputCount]), targets: Array(first[inputCount...]))
      DispatchQueue.concurrentPerform(iterations: (indices.count + chunk - 1) / chunk) { task in
        var sample = batch
        for place in (task * chunk)..<min((task + 1) * chunk, indices.count) {
          let index = Int(indices[indices.startIndex + place])
          sample.index = place
          do {
            try source.read(index, into: sample)
            for check in labels {
              let targets = UnsafeRawBufferPointer(sample.target(check.target))
              if let stray = check.stray(in: targets, of: index..<(index + 1)) {
                throw check.error(stray, in: source.name)
              }
            }
          } catch {
            failures.withLock { $0.append((place, error)) }
            return
          }
        }
      }
    }
    if let failure = failures.withLock({ $0.min { $0.sample < $1.sample } }) { throw failure.error }
  }
}

/// Runs `body` with the memory of all of `arrays`, in their order.
private func withMemory(
  of arrays: inout [[UInt8]], _ later: [UnsafeMutableRawBufferPointer] = [],
  _ body: ([UnsafeMutableRawBufferPointer]) -> Void
) {
  guard var last = arrays.popLast() else { return body(later) }
  last.withUnsafeMutableBytes { withMemory(of: &arrays, [$0] + later, body) }
  arrays.append(last)
}

/// A queue between a thread that sends and one that receives.
private final class Channel<Element: Sendable>: Sendable {
  private let queue = Mutex<(elements: [Element], isClosed: Bool)>(([], false))
  private let changes = DispatchSemaphore(value: 0)

  func send(_ element: Element) {
    queue.withLock { $0.elements.append(element) }
    changes.signal()
  }

  /// Whoever receives gets `nil` from now on.
  func close() {
    queue.withLock { $0 = ([], true) }
    changes.signal()
  }

  /// Waits for an element.
  func receive() -> Element? {
    changes.wait()
    return queue.withLock { $0.isClosed ? nil : $0.elements.removeFirst() }
  }
}
