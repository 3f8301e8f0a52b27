import ApusCore
import Foundation
import Testing

@testable import ApusData

@Suite struct ImageTests {
  struct Expected: Decodable {
    var shape: [Int]
    var pixels: [UInt8]

    var array: NDArray { NDArray(pixels, shape: shape) }
  }

  /// Made by `Fixtures/make.py`.
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path() + "/"
  static let expected = try! JSONDecoder().decode(
    [String: Expected].self, from: Data(contentsOf: URL(filePath: fixtures + "expected.json")))
  static let files = expected.keys.filter { $0.contains(".") }.sorted()

  private func largestDifference(_ a: NDArray, _ b: NDArray) -> Int {
    zip(a.bytes, b.bytes).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test(.withCodecs, arguments: files) func picturesDecodeAsPillowDoes(name: String) throws {
    let isLaidOnWhite = name == "rgba.png" || name == "grey-alpha.png"
    let picture = try Image(contentsOf: Self.fixtures + name, background: isLaidOnWhite ? .white : .contrasting)
    let pixels = picture.pixels
    let expected = try #require(Self.expected[name]).array
    #expect(pixels.shape == expected.shape)
    // JPEG decoders may differ by rounding; laying on white rounds once here, twice there.
    let tolerance = name.hasSuffix("jpg") ? 3 : isLaidOnWhite ? 1 : 0
    #expect(largestDifference(pixels, expected) <= tolerance)
  }

  @Test(.withCodecs, arguments: [("shrunk", 5, 4), ("enlarged", 28, 20), ("mixed", 6, 12), ("grey", 13, 9)])
  func resizingAgreesWithPillow(name: String, width: Int, height: Int) throws {
    let expected = try #require(Self.expected[name]).array
    let picture = try Image(contentsOf: Self.fixtures + "picture.png")
    let resized = picture.resized(toWidth: width, height: height, channels: expected.shape[2])
    #expect(resized.pixels.shape == expected.shape)
    #expect(largestDifference(resized.pixels, expected) <= (name == "grey" ? 0 : 1))
  }

  @Test func greyBecomesRGBByRepetition() throws {
    let grey = try Image(pixels: NDArray([1, 2] as [UInt8], shape: [1, 2, 1]))
    #expect(
      grey.resized(toWidth: 2, height: 1, channels: 3).pixels
        == NDArray([1, 1, 1, 2, 2, 2] as [UInt8], shape: [1, 2, 3]))
    #expect(grey.resized(toWidth: 1, height: 1).channels == 1)
  }

  /// A constant picture stays constant at any size.
  @Test(arguments: [(1, 1), (3, 5), (28, 28), (100, 7)]) func constantsStayConstant(width: Int, height: Int) throws {
    let picture = try Image(pixels: NDArray([UInt8](repeating: 200, count: 17 * 23 * 3), shape: [17, 23, 3]))
    #expect(picture.resized(toWidth: width, height: height).pixels.bytes.allSatisfy { $0 == 200 })
  }

  /// A million rows that grow from 0 to 255.
  @Test func aTallPictureIsShrunk() throws {
    let count = 1 << 20
    let tall = try Image(pixels: NDArray((0..<count).map { UInt8($0 * 256 / count) }, shape: [count, 1, 1]))
    let small = tall.resized(toWidth: 224, height: 4, channels: 3)
    #expect(small.pixels.shape == [4, 224, 3])
    // What Pillow gives.
    let expected = NDArray([38, 96, 160, 217].flatMap { [UInt8](repeating: $0, count: 672) }, shape: [4, 224, 3])
    #expect(largestDifference(small.pixels, expected) <= 1)
  }

  @Test(.withCodecs, arguments: [1, 3]) func whatIsWrittenIsRead(channels: Int) throws {
    let folder = TemporaryFolder()
    let pixels = NDArray((0..<(7 * 5 * channels)).map { UInt8($0 * 2) }, shape: [7, 5, channels])
    try Image(pixels: pixels).writePNG(to: folder.path("out.png"))
    #expect(try Image(contentsOf: folder.path("out.png")).pixels == pixels)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["out.png"])
  }

  /// The eight orientations of a 2x3 picture whose pixels are numbered as they should be seen.
  @Test(
    arguments: [
      (1, [2, 3], [1, 2, 3, 4, 5, 6]), (2, [2, 3], [3, 2, 1, 6, 5, 4]), (3, [2, 3], [6, 5, 4, 3, 2, 1]),
      (4, [2, 3], [4, 5, 6, 1, 2, 3]), (5, [3, 2], [1, 4, 2, 5, 3, 6]), (6, [3, 2], [3, 6, 2, 5, 1, 4]),
      (7, [3, 2], [6, 3, 5, 2, 4, 1]), (8, [3, 2], [4, 1, 5, 2, 6, 3]),
    ] as [(Int, [Int], [UInt8])])
  func everyOrientation(value: Int, storedShape: [Int], stored: [UInt8]) {
    let tiff: [UInt8] =
      Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, UInt8(value), 0, 0, 0]
    let upright = EXIFOrientation(exif: tiff).upright(NDArray(stored, shape: storedShape + [1]))
    #expect(upright == NDArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [2, 3, 1]))
  }

  @Test func damagedEXIFBlocksMeanUpright() {
    #expect(EXIFOrientation(exif: []).value == 1)
    #expect(EXIFOrientation(exif: Array("Exif\0\0".utf8)).value == 1)
    #expect(EXIFOrientation(exif: Array("Exif\0\0II*\0".utf8) + [0xFF, 0xFF, 0xFF, 0xFF]).value == 1)
    // A float, and an orientation beyond 8.
    let head: [UInt8] = Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 0x01]
    #expect(EXIFOrientation(exif: head + [11, 0, 1, 0, 0, 0, 6, 0, 0, 0]).value == 1)
    #expect(EXIFOrientation(exif: head + [3, 0, 1, 0, 0, 0, 9, 0, 0, 0]).value == 1)
    #expect(EXIFOrientation(exif: head + [4, 0, 1, 0, 0, 0, 6, 0, 0]).value == 1)
  }

  // MARK: Ground and size

  @Test(.withCodecs) func theGroundCanBeChosen() throws {
    let name = Self.fixtures + "ink-light-alpha.png"
    func corner(_ background: Background) throws -> [UInt8] {
      Array(try Image(contentsOf: name, background: background).pixels.bytes.prefix(1))
    }
    #expect(try corner(.white) == [255] && corner(.black) == [0] && corner(.contrasting) == [0])
    // Grey pictures take the colour's brightness: 0.299 * 255.
    #expect(try corner(.color(red: 255, green: 0, blue: 0)) == [76])
    #expect(Background(parsing: "#FFcc00") == .color(red: 255, green: 204, blue: 0))
    #expect(Background(parsing: "auto") == .contrasting && Background(parsing: "White") == .white)
    for text in ["", "#", "#12345", "#1234567", "#+12345", "grey", "FFCC00"] {
      #expect(Background(parsing: text) == nil)
    }
  }

  @Test(
    .withCodecs,
    arguments: [("picture.png", "boxes", 40), ("rgb.jpg", "scaled", 32), ("alpha-boxes.png", "alpha-boxes", 2)])
  func largePicturesAreDecodedSmaller(file: String, name: String, limit: Int) throws {
    let expected = try #require(Self.expected[name]).array
    let picture = try Image(contentsOf: Self.fixtures + file, maximumPixelCount: limit, background: .white)
    #expect(picture.pixels.shape == expected.shape)
    #expect(largestDifference(picture.pixels, expected) <= (file.hasSuffix("jpg") ? 3 : 1))
  }

  @Test(.withCodecs) func interlacedPicturesAreDecodedSmallerToo() throws {
    let plain = try Image(contentsOf: Self.fixtures + "rgb8.png", maximumPixelCount: 6)
    #expect(plain.pixels.shape == [2, 3, 3])
    #expect(try Image(contentsOf: Self.fixtures + "interlaced.png", maximumPixelCount: 6) == plain)
  }

  @Test(.withCodecs) func aPictureAboveTheLimitIsHalved() throws {
    let picture = try Image(contentsOf: Self.fixtures + "huge.png")
    #expect(picture.pixels.shape == [3968, 4352, 1])
    picture.pixels.withElements(as: UInt8.self) { pixels in
      let columns = [0, 1, 4351].map { x in (0..<3968).map { pixels[$0 * 4352 + x] } }
      // Box 500 holds the last of 1001 white rows and a black one; so does the last.
      let rows = [UInt8](repeating: 255, count: 500) + [128] + [UInt8](repeating: 0, count: 3466) + [128]
      for column in columns { #expect(column == rows) }
    }
  }

  // MARK: Bad files

  private func failure(_ bytes: [UInt8], limit: Int = Image.defaultMaximumPixelCount) -> String {
    do {
      return "decoded \(try Image(encoded: bytes, name: "x.png", maximumPixelCount: limit).pixels.shape)"
    } catch {
      return "\(error)"
    }
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: Self.fixtures + name)))
  }

  @Test(.withCodecs) func whatIsNotAPictureIsRefused() throws {
    #expect(failure([]) == "x.png: the file is empty")
    #expect(failure(Array("%PDF-1.7".utf8)).contains("no picture of a format that is read"))
    #expect(failure([0xFF, 0xD8, 0xFF]).contains("cannot be decoded"))
    #expect(failure(try bytes("bomb.png")).contains("30000x30000 pixels, the limit is 536870912"))
    #expect(failure(try bytes("bomb.png"), limit: .max).contains("too small for its number of pixels"))
    #expect(failure(try bytes("rgb.jpg"), limit: 10).contains("16x8 pixels, the limit is 80"))
    // The frame header's precision, and its mark made that of lossless files.
    var odd = try bytes("rgb.jpg")
    let frame = try #require(odd.firstRange(of: [0xFF, 0xC0])).lowerBound
    odd[frame + 4] = 12
    #expect(failure(odd).contains("a kind that is not read: Unsupported JPEG data precision 12"))
    odd[frame + 4] = 8
    odd[frame + 1] = 0xC3
    // libjpeg-turbo 3 knows lossless files, but not this one's colours.
    #expect(failure(odd).contains("a kind that is not read: Unsupported"))

    #expect(throws: FileError.self) { try Image(contentsOf: "/no/such/picture.png") }
    #expect(throws: FileError.self) { try Image(contentsOf: Self.fixtures) }
    #expect(throws: DataError.self) { try Image(pixels: NDArray(zeros: [2, 2, 2], dtype: .uint8)) }
    #expect(throws: DataError.self) { try Image(pixels: NDArray(zeros: [2, 2, 3])) }
  }

  /// Chunks of compressed text are passed over: two hundred of them unpack to 1.6 GB.
  @Test(.withCodecs) func textIsNotUnpacked() throws {
    let file = try bytes("text.png")
    let chunk = try #require(file.firstRange(of: Array("zTXt".utf8))).lowerBound - 4
    let length = 12 + file[chunk..<(chunk + 4)].reduce(0) { $0 << 8 | Int($1) }
    let repeated = [[UInt8]](repeating: Array(file[chunk..<(chunk + length)]), count: 200).flatMap { $0 }
    let bomb = file[..<chunk] + repeated + file[(chunk + length)...]
    let start = ContinuousClock.now
    #expect(try Image(encoded: Array(bomb), name: "bomb.png").pixels == Self.expected["text.png"]!.array)
    // Unpacking takes twenty seconds.
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test(
    .withCodecs, arguments: ["rgb8.png", "palette.png", "interlaced.png", "grey.jpg", "rgb.jpg", "progressive.jpg"])
  func everyTruncationIsRefused(name: String) throws {
    let whole = try bytes(name)
    // A PNG ends with 12 bytes that hold no pixels, a JPEG with two; all are required.
    for count in 0..<(whole.count - (name.hasSuffix("jpg") ? 2 : 0)) {
      #expect(!failure(Array(whole[..<count])).hasPrefix("decoded"), "\(count) of \(whole.count) bytes")
    }
  }

  /// No flipped byte may do more than fail or change pixels.
  @Test(.withCodecs, arguments: files) func flippedBytesDoNotCrash(name: String) throws {
    let whole = try bytes(name)
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 0xA5
      _ = failure(damaged, limit: 10_000)
    }
  }
}
