import ApusCore
import Testing

@testable import ApusData

@Suite struct DigitPreparationTests {
  /// A picture of `width` x `height` pixels, each of its brightness from 0 to 1, with some noise.
  private func picture(
    _ width: Int, _ height: Int, noise: Double = 0.02, _ brightness: (_ x: Double, _ y: Double) -> Double
  ) throws -> Image {
    var random = SplitMix64(seed: 1)
    let pixels = (0..<(width * height)).map { index in
      let value = brightness(Double(index % width) + 0.5, Double(index / width) + 0.5) + random.uniform(-noise, noise)
      return UInt8((min(max(value, 0), 1) * 255).rounded())
    }
    return try Image(pixels: NDArray(pixels, shape: [height, width, 1]))
  }

  /// A seven, 60 x 100 pixels with strokes of 12, whose upper left corner is at `left`, `top`.
  private func isInk(_ x: Double, _ y: Double, left: Double = 90, top: Double = 40) -> Bool {
    let (x, y) = (x - left, y - top)
    guard (0..<60).contains(x), (0..<100).contains(y) else { return false }
    return y < 12 || abs(x - (54 - 0.5 * (y - 6))) < 7
  }

  /// Brightness of light that falls off, with the edge of a shadow.
  private func light(_ x: Double, _ y: Double) -> Double { (0.95 - 0.0015 * x - 0.0008 * y) * (x + y > 190 ? 0.6 : 1) }

  private func centerOfMass(_ digit: Image) -> (x: Double, y: Double) {
    let values = digit.pixels.bytes.map(Double.init)
    let mass = values.reduce(0, +)
    func moment(_ coordinate: (Int) -> Int) -> Double {
      values.indices.reduce(0) { $0 + values[$1] * Double(coordinate($1)) } / mass
    }
    return (moment { $0 % digit.width }, moment { $0 / digit.width })
  }

  private func extent(_ digit: Image) -> (width: Int, height: Int) {
    let bright = digit.pixels.bytes.indices.filter { digit.pixels.bytes[$0] > 60 }
    let (columns, rows) = (bright.map { $0 % digit.width }, bright.map { $0 / digit.width })
    return (columns.max()! - columns.min()! + 1, rows.max()! - rows.min()! + 1)
  }

  private func difference(_ a: Image, _ b: Image) -> Double {
    zip(a.pixels.bytes, b.pixels.bytes).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(a.pixels.count)
  }

  @Test func inkIsCutOutOfUnevenLight() throws {
    let plain = try picture(240, 180, noise: 0) { isInk($0, $1) ? 0.1 : 0.9 }.digit()
    #expect(plain.pixels.shape == [28, 28, 1])
    #expect(extent(plain).height == 20 && (11...13).contains(extent(plain).width))
    let center = centerOfMass(plain)
    #expect(abs(center.x - 14) <= 0.5 && abs(center.y - 14) <= 0.5)
    #expect(plain.pixels.bytes.max()! > 240 && plain.pixels.bytes[0] == 0)

    let shadowed = try picture(240, 180) { light($0, $1) * (isInk($0, $1) ? 0.3 : 1) }.digit()
    #expect(difference(shadowed, plain) < 6, "\(difference(shadowed, plain))")
    // Elsewhere, and larger.
    let moved = try picture(600, 500) {
      light($0 / 3, $1 / 3) * (isInk($0 / 2, $1 / 2, left: 20, top: 130) ? 0.3 : 1)
    }.digit()
    #expect(difference(moved, plain) < 6, "\(difference(moved, plain))")
  }

  @Test func lightInkIsInkToo() throws {
    let dark = try picture(240, 180) { isInk($0, $1) ? 0.2 : 0.8 }.digit()
    let light = try picture(240, 180) { isInk($0, $1) ? 0.8 : 0.2 }.digit()
    #expect(difference(dark, light) < 4, "\(difference(dark, light))")
    // What is prepared stays as it is, about.
    let again = try light.digit()
    #expect(difference(again, light) < 6, "\(difference(again, light))")
  }

  @Test func specksAndTheTableBesideThePaperAreNoInk() throws {
    let plain = try picture(240, 180, noise: 0) { isInk($0, $1) ? 0.1 : 0.9 }.digit()
    let littered = try picture(240, 180) { x, y in
      if x < 9 { return 0.1 }
      let isSpeck = (200..<204).contains(x) && (150..<154).contains(y)
      return isInk(x, y) || isSpeck ? 0.2 : 0.85
    }.digit()
    #expect(difference(littered, plain) < 6, "\(difference(littered, plain))")
  }

  @Test func whatHasNoInkIsAnError() throws {
    for brightness in [0.0, 0.5, 1] {
      let blank = try picture(100, 80, noise: 0.01) { _, _ in brightness }
      let error = #expect(throws: DataError.self) { try blank.digit(name: "blank.png") }
      #expect(error?.kind == .malformed && error?.description.contains("blank.png: no digit is found") == true)
    }
    let shadow = try picture(300, 200, noise: 0.01) { light($0, $1) }
    #expect(throws: DataError.self) { try shadow.digit() }
    #expect(throws: DataError.self) { try picture(1, 1) { _, _ in 1 }.digit() }
  }

  @Test(arguments: [[32, 32, 3], [20, 40, 1], [1, 1, 1], [56, 56, 1]])
  func otherShapes(shape: [Int]) throws {
    let digit = try picture(240, 180) { isInk($0, $1) ? 0.1 : 0.9 }.digit(shape: shape)
    #expect(digit.pixels.shape == shape && digit.pixels.bytes.max()! > 60)
  }

  @Test(.withCodecs) func aPreparationCutsOutItsSubject() throws {
    let folder = TemporaryFolder()
    let photo = try picture(240, 180) { light($0, $1) * (isInk($0, $1) ? 0.3 : 1) }
    try folder.write(photo.pngData(), to: "seven.png")
    let preparation = PicturePreparation(subject: .digit)
    #expect(try preparation.picture(at: folder.path("seven.png"), shape: [28, 28, 1]) == photo.digit())
    #expect(
      try preparation.picture(encoded: photo.pngData(), name: "-", shape: [28, 28, 1]) == photo.digit())
  }
}

@Suite struct PictureStatisticsTests {
  @Test func picturesOfAnotherKindAreTold() throws {
    let digits = try Digits.test(count: 200)
    let statistics = try #require(try PictureStatistics(of: digits))
    #expect(statistics.edge < 0.1 && (0.05..<0.3).contains(statistics.mean))
    func picture(_ index: Int) -> NDArray { digits.images.rows(index..<(index + 1)).reshaped([28, 28, 1]) }
    #expect((0..<200).count { statistics.difference(of: picture($0)) != nil } <= 2)
    let negative = NDArray(picture(0).bytes.map { 255 - $0 }, shape: [28, 28, 1])
    #expect(statistics.difference(of: negative) == .brightGround)
    #expect(statistics.difference(of: NDArray([UInt8](repeating: 3, count: 784), shape: [28, 28, 1])) == .plain)
    let full = NDArray((0..<784).map { $0 % 28 > 3 && $0 % 28 < 24 ? UInt8(250) : 0 }, shape: [28, 28, 1])
    #expect(statistics.difference(of: full) == .bright)
    // The other way round.
    let paper = try ImageDataset(
      name: "paper", images: NDArray(digits.images.bytes.map { 255 - $0 }, shape: digits.images.shape),
      labels: digits.labels, classNames: digits.classNames)
    #expect(try PictureStatistics(of: paper)?.difference(of: picture(0)) == .darkGround)
  }

  @Test func picturesOfManyKindsAreNotJudged() throws {
    var random = SplitMix64(seed: 3)
    let pixels = (0..<50).flatMap { _ in
      let (base, range) = (random.uniform(0, 200), random.uniform(10, 55))
      return (0..<192).map { _ in UInt8(base + random.uniform(0, range)) }
    }
    let data = try ImageDataset(
      name: "noise", images: NDArray(pixels, shape: [50, 8, 8, 3]),
      labels: NDArray([Int32](repeating: 0, count: 50), shape: [50]),
      classNames: ["a"])
    let statistics = try #require(try PictureStatistics(of: data))
    for index in 0..<50 {
      #expect(statistics.difference(of: data.images.rows(index..<(index + 1)).reshaped([8, 8, 3])) == nil)
    }
  }
}
