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
  private let classes: Int?
  private let empty = Channel<Buffer>()
  private let full = Channel<Result<Buffer, any Error>>()
  /// With the step that runs.
  private var current: Buffer?

  /// - Parameter classes: labels outside of `0..<classes` are errors; `nil` for no check.
  init(_ source: any Dataset, _ order: [Int32], _ batches: Batches, classes: Int? = nil) {
    (self.source, self.order, self.batches, self.classes) = (source, order, batches, classes)
    for _ in 0..<min(Self.bufferCount, batches.steps) { empty.send(Buffer()) }
    restart()
  }

  func restart() {
    DispatchQueue(label: "apus.loader", qos: .userInitiated).async { [source, order, batches, classes, empty, full] in
      for step in 0..<batches.steps {
        guard var buffer = empty.receive() else { return }
        do {
          try buffer.fill(from: source, order[batches.range(step)], classes: classes)
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
    func array(_ bytes: [UInt8], _ type: TensorType) -> NDArray {
      NDArray(bytes: bytes, shape: [buffer.count] + type.shape, dtype: type.dtype)!
    }
    try executable.setInput(indices[0], array(buffer.inputs, source.input))
    try executable.setInput(indices[1], array(buffer.targets, source.target))
  }
}

/// The samples of a batch, as bytes.
private struct Buffer: Sendable {
  private(set) var count = 0
  private(set) var inputs: [UInt8] = []
  private(set) var targets: [UInt8] = []

  /// Reads the samples `indices`, by several threads where that pays.
  ///
  /// - Throws: the error of the first sample that has one.
  mutating func fill(from source: any Dataset, _ indices: ArraySlice<Int32>, classes: Int?) throws {
    count = indices.count
    let (inputSize, targetSize) = (source.input.byteCount, source.target.byteCount)
    if inputs.count != count * inputSize { inputs = [UInt8](repeating: 0, count: count * inputSize) }
    if targets.count != count * targetSize { targets = [UInt8](repeating: 0, count: count * targetSize) }
    let failures = Mutex<[(sample: Int, error: any Error)]>([])
    let first = indices.startIndex
    let chunk = source.samplesWorthATask
    inputs.withUnsafeMutableBytes { inputs in
      targets.withUnsafeMutableBytes { targets in
        // Each task writes its own samples, and all end before this call does.
        nonisolated(unsafe) let (inputs, targets) = (inputs, targets)
        DispatchQueue.concurrentPerform(iterations: (indices.count + chunk - 1) / chunk) { task in
          for sample in (task * chunk)..<min((task + 1) * chunk, indices.count) {
            do {
              let (index, target) = (Int(indices[first + sample]), targets.piece(sample, of: targetSize))
              try source.read(index, input: inputs.piece(sample, of: inputSize), target: target)
              if let classes { try source.requireLabels(in: target, index: index, classes: classes) }
            } catch {
              failures.withLock { $0.append((sample, error)) }
              return
            }
          }
        }
      }
    }
    if let failure = failures.withLock({ $0.min { $0.sample < $1.sample } }) { throw failure.error }
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func piece(_ index: Int, of size: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: self[(index * size)..<((index + 1) * size)])
  }
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
