import ApusCore

/// Digits drawn by the program: 28x28, grey, ten classes, in the shape of MNIST, for machines without data or network.
///
/// Each picture is one of several ways to write a digit, with moved control points, slant, rotation, size, position,
/// pen width, brightness, noise and sometimes a stray stroke. Picture `i` depends on the seed, the part and `i` alone,
/// and only on operations that IEEE 754 defines to the last bit, so every machine draws the same bytes.
///
/// Results on `digits` compare programs and devices, not methods: they say little about real handwriting.
public enum Digits {
  /// By its name, for the program.
  public static let entry = PublishedDataset(name: "digits", model: "tutorial-mnist", hasFiles: false) {
    part, _, _ in
    try part == .train ? train() : test()
  }

  /// Pictures to train on: 10,000 unless asked otherwise.
  ///
  /// - Throws: `DataError` when the count is not positive, `HostMemoryError` when so many do not fit.
  public static func train(count: Int = 10_000, seed: UInt64 = 0) throws -> ImageDataset {
    try draw(.train, count: count, seed: seed)
  }

  /// Pictures to test on, none of which is among those to train on: 2,000 unless asked otherwise.
  ///
  /// - Throws: `DataError` when the count is not positive, `HostMemoryError` when so many do not fit.
  public static func test(count: Int = 2_000, seed: UInt64 = 0) throws -> ImageDataset {
    try draw(.test, count: count, seed: seed)
  }

  private static func draw(_ part: DatasetPart, count: Int, seed: UInt64) throws -> ImageDataset {
    guard count > 0 else {
      throw DataError(.invalidArgument, at: "digits", "\(count) pictures were asked for", advice: "ask for one or more")
    }
    let side = DigitCanvas.side
    try HostMemory.require([count, side, side], .uint8, for: "\(count) drawn digits")
    var pixels = [UInt8](repeating: 0, count: count * side * side)
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    var seeds = SplitMix64(seed: seed &+ (part == .train ? 0 : 0x5445_5354))
    let base = seeds.next()
    var canvas = DigitCanvas()
    for index in 0..<count {
      var random = SplitMix64(seed: base ^ SplitMix64.mixed(UInt64(index)))
      let digit = random.below(10)
      canvas.drawDigit(digit, &random)
      pixels.withUnsafeMutableBufferPointer { out in
        canvas.copyPixels(
          to: UnsafeMutableBufferPointer(rebasing: out[(index * side * side)..<((index + 1) * side * side)]))
      }
      labels.append(Int32(digit))
    }
    return try ImageDataset(
      name: "digits", images: NDArray(bytes: pixels, shape: [count, side, side, 1], dtype: .uint8)!,
      labels: NDArray(labels, shape: [count]),
      classNames: (0...9).map(String.init), source: "drawn by the program, seed \(seed)", isSynthetic: true,
      note: "digits are drawn by the program: results say little about real handwriting")
  }
}

/// Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): small, fast, and the same everywhere.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func next() -> UInt64 {
    defer { state &+= 0x9E37_79B9_7F4A_7C15 }
    return Self.mixed(state)
  }

  /// Uniform in `0..<bound`, for small bounds.
  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// Uniform in `[low, high)`.
  mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * (Double(next() >> 11) * 0x1p-53)
  }
}
