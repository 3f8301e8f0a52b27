import ApusCore
import Dispatch
import Synchronization

extension ImageFolder {
  /// The bytes that all pictures take once they are decoded.
  public var decodedByteCount: Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: imageShape.elementCount)
    return overflow ? .max : bytes
  }

  /// All pictures, decoded by all processors, in memory. Those that cannot be read are left out.
  ///
  /// - Throws: `HostMemoryError` where they do not fit, `DataError` where none can be read.
  public func decoded() throws -> ImageDataset {
    try HostMemory.require([count] + imageShape, .uint8, for: "the \(count) pictures of \(FilePath.printable(folder))")
    let size = imageShape.elementCount
    let results = Mutex(
      (isGood: [Bool](repeating: false, count: count), failures: [(position: Int, error: any Error)]()))
    let progress = ProgressLine("Reading pictures", total: count)
    var pixels = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      // Each task writes its own pictures, and all end before this call does.
      nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer(buffer)
      nonisolated(unsafe) let line = progress
      DispatchQueue.concurrentPerform(iterations: count) { position in
        if results.withLock({ !$0.failures.isEmpty }) { return }
        do {
          let picture = try picture(position)
          let place = UnsafeMutableRawBufferPointer(rebasing: memory[(position * size)..<((position + 1) * size)])
          picture?.pixels.bytes.withUnsafeBytes { place.copyMemory(from: $0) }
          results.withLock {
            $0.isGood[position] = picture != nil
            line?.next()
          }
        } catch {
          results.withLock { $0.failures.append((position, error)) }
        }
      }
      initialized = count * size
    }
    let (isGood, failures) = results.withLock { $0 }
    if let first = failures.min(by: { $0.position < $1.position }) { throw first.error }
    // What is good moves up.
    var kept = 0
    for position in 0..<count where isGood[position] {
      if kept < position {
        pixels.withUnsafeMutableBytes { memory in
          let source = UnsafeRawBufferPointer(rebasing: memory[(position * size)..<((position + 1) * size)])
          UnsafeMutableRawBufferPointer(rebasing: memory[(kept * size)..<((kept + 1) * size)]).copyMemory(from: source)
        }
      }
      kept += 1
    }
    guard kept > 0 else {
      throw DataError(
        .malformed, at: folder, "none of its \(count) pictures can be read", advice: badPictures.first.map { "\($0)" })
    }
    pixels.removeLast((count - kept) * size)
    let labels = zip(labels, isGood).filter(\.1).map(\.0)
    return try ImageDataset(
      name: name, images: NDArray(bytes: pixels, shape: [kept] + imageShape, dtype: .uint8)!,
      labels: NDArray(labels, shape: [kept]), classNames: classNames, source: folder)
  }
}
