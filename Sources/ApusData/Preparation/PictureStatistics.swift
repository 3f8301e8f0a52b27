public import ApusCore

/// How bright pictures are, from 0 (black) to 1 (white): enough to tell whether others look like them.
public struct PictureStatistics: Sendable, Hashable, Codable {
  /// Mean and standard deviation, over the pictures, of a picture's mean.
  public var mean: Double
  public var meanDeviation: Double
  /// The same of its outermost pixels, which are mostly ground.
  public var edge: Double
  public var edgeDeviation: Double

  private enum CodingKeys: String, CodingKey {
    case mean, edge
    case meanDeviation = "mean_deviation"
    case edgeDeviation = "edge_deviation"
  }

  /// Of at most `most` of the pictures of a data set, evenly chosen; `nil` where they are no pictures of bytes.
  ///
  /// - Throws: what reading them throws.
  public init?(of data: some Dataset, most: Int = 1000) throws {
    guard let type = data.inputs.first, type.dtype == .uint8, type.shape.count == 3, data.count > 0 else { return nil }
    let inputs = data.inputs.map { UnsafeMutableRawBufferPointer.allocate(byteCount: $0.byteCount, alignment: 16) }
    let targets = data.targets.map { UnsafeMutableRawBufferPointer.allocate(byteCount: $0.byteCount, alignment: 16) }
    defer { for memory in inputs + targets { memory.deallocate() } }
    var measures: [Brightness] = []
    for index in stride(from: 0, to: data.count, by: max(1, data.count / max(1, most))) {
      try data.read(index, into: Sample(inputs: inputs, targets: targets))
      measures.append(Brightness(UnsafeRawBufferPointer(inputs[0]), type.shape))
    }
    func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
    }
    (mean, meanDeviation) = moments(measures.map(\.mean))
    (edge, edgeDeviation) = moments(measures.map(\.edge))
  }

  /// In what a picture differs from the others.
  public enum Difference: String, Sendable, Hashable, CaseIterable {
    /// It has one colour.
    case plain
    /// Its ground is bright, theirs is dark.
    case brightGround = "bright ground"
    /// Its ground is dark, theirs is bright.
    case darkGround = "dark ground"
    /// It is much brighter, much darker.
    case bright, dark
  }

  /// A picture's ground differs by at least this, and by four standard deviations; its mean by the other.
  private static let leastEdgeDifference = 0.35, leastMeanDifference = 0.15
  /// Of the brightest and the darkest pixel of a plain picture.
  private static let plainRange = 8

  /// How a picture differs from those that the statistics are of, most telling first.
  ///
  /// - Parameter pixels: uint8 `[height, width, channels]`.
  public func difference(of pixels: NDArray) -> Difference? {
    if Self.isPlain(pixels) { return .plain }
    let measured = pixels.bytes.withUnsafeBytes { Brightness($0, pixels.shape) }
    func differs(_ value: Double, _ mean: Double, _ deviation: Double, _ least: Double) -> Bool {
      abs(value - mean) > max(least, 4 * deviation)
    }
    if differs(measured.edge, edge, edgeDeviation, Self.leastEdgeDifference) {
      return measured.edge > edge ? .brightGround : .darkGround
    }
    if differs(measured.mean, mean, meanDeviation, Self.leastMeanDifference) {
      return measured.mean > mean ? .bright : .dark
    }
    return nil
  }

  /// Whether all pixels of a picture have about one colour.
  public static func isPlain(_ pixels: NDArray) -> Bool {
    let channels = pixels.shape.last ?? 1
    let bytes = pixels.bytes
    return (0..<channels).allSatisfy { channel in
      var (least, most) = (UInt8.max, UInt8.min)
      for index in stride(from: channel, to: bytes.count, by: channels) {
        (least, most) = (min(least, bytes[index]), max(most, bytes[index]))
      }
      return Int(most) - Int(least) <= plainRange
    }
  }
}

/// Means over one picture's pixels.
private struct Brightness {
  let mean: Double
  let edge: Double

  init(_ pixels: UnsafeRawBufferPointer, _ shape: [Int]) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    var (sum, edgeSum, edgeCount) = (0, 0, 0)
    for y in 0..<height {
      for x in 0..<width {
        let start = (y * width + x) * channels
        let value = (start..<(start + channels)).reduce(0) { $0 + Int(pixels[$1]) }
        sum += value
        if x == 0 || y == 0 || x == width - 1 || y == height - 1 {
          edgeSum += value
          edgeCount += channels
        }
      }
    }
    mean = Double(sum) / Double(255 * height * width * channels)
    edge = Double(edgeSum) / Double(255 * edgeCount)
  }
}
