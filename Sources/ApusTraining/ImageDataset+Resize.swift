public import ApusCore
public import ApusData
public import ApusDevices

extension ImageDataset {
  /// All pictures at another size, made on the device.
  ///
  /// ```swift
  /// let large = try CIFAR10.train().resized(height: 64, width: 64, interpolation: .bicubic)
  /// ```
  ///
  /// - Parameters:
  ///   - channels: 3 from 1 by repetition, or 1 from 3 by `0.299 R + 0.587 G + 0.114 B`; `nil`: as they are.
  ///   - antialias: average what shrinking would skip, as Pillow does; see `resize`.
  /// - Throws: `DataError` for sizes or channels that cannot be, `HostMemoryError` when there is no memory for the
  ///   result, `BackendError` from the device.
  public func resized(
    height: Int, width: Int, channels: Int? = nil, interpolation: Interpolation = .bilinear, antialias: Bool = true,
    device: Device = .automatic
  ) throws -> ImageDataset {
    let (old, new) = (imageShape, [height, width, channels ?? imageShape[2]])
    if old == new { return self }
    let isPossible = new[2] == old[2] || [old[2], new[2]] == [1, 3] || [old[2], new[2]] == [3, 1]
    guard isPossible, let size = ([count] + new).checkedElementCount, size > 0, height > 0, width > 0 else {
      throw DataError(
        .invalidArgument, at: name,
        "pictures \(old.shapeDescription) do not become \(new.shapeDescription)",
        advice: "give sizes of at least 1, and as many channels, or 1 for 3, or 3 for 1")
    }
    try HostMemory.require(size, for: "\(count) pictures \(new.shapeDescription) of \(name)")

    let most = max(old.reduce(1, *), new.reduce(1, *)) * 4
    let batchSize = min(count, max(1, Self.batchBytes / most))
    let graph = Graph(mode: .inference)
    let bytes = graph.input("pictures", shape: [batchSize] + old, dtype: .uint8)
    var pictures = bytes.map { $0 }
    if new[2] < old[2] {
      pictures = matMul(pictures, graph.constant(NDArray([0.299, 0.587, 0.114] as [Float], shape: [3, 1])))
    }
    // A cubic may go beyond black and white; Pillow cuts that off after either axis.
    for (height, width) in [(old[0], width), (height, width)] {
      pictures = resize(pictures, height: height, width: width, interpolation: interpolation, antialias: antialias)
        .map { .min(.max($0, 0), 255) }
    }
    if new[2] > old[2] { pictures = broadcast(pictures, to: [batchSize] + new) }
    let session = try device.openSession()
    let executable = try session.compile(graph, outputs: [pictures])

    var result: [UInt8] = []
    result.reserveCapacity(size)
    for start in stride(from: 0, to: count, by: batchSize) {
      // The last batch begins earlier, to be as large as the others; what is there already is left out.
      let first = min(start, count - batchSize)
      try executable.setInput(0, images.rows(first..<(first + batchSize)))
      try executable.run()
      let done = (start - first) * new.reduce(1, *)
      try executable.output(0).withElements(as: Float.self) { values in
        for value in values[done...] { result.append(UInt8(value + 0.5)) }
      }
    }
    return try ImageDataset(
      name: name, images: NDArray(result, shape: [count] + new), labels: labels, classNames: classNames, source: source,
      isSynthetic: isSynthetic, note: note)
  }

  /// What a batch takes of the device's memory, about.
  private static let batchBytes = 64 << 20
}
