import ApusCore
import Foundation
import Testing

@testable import ApusData

/// All formats, against Pillow.
@Suite struct PictureFormatTests {
  static let folder = ImageTests.fixtures + "Formats"
  static let pictures = DrawnPicture.all(in: folder)

  /// Another folder of drawn pictures, with thousands of them: `Scripts/test-pictures`.
  static let otherFolder = ProcessInfo.processInfo.environment["APUS_TEST_PICTURES"]

  @Test(arguments: pictures) func everyKindDecodesAsPillowDoes(_ picture: DrawnPicture) throws {
    #expect(PictureFormat(header: picture.bytes) == picture.format)
    let pixels = try Image(contentsOf: picture.path, background: picture.background).pixels
    let difference = try #require(picture.difference(pixels), "\(pixels.shape) instead of \(picture.expected.shape)")
    #expect(difference <= picture.tolerance)
  }

  @Test(.enabled("APUS_TEST_PICTURES names no folder") { PictureFormatTests.otherFolder != nil })
  func everyDrawnPictureDecodesAsPillowDoes() throws {
    let pictures = DrawnPicture.all(in: try #require(Self.otherFolder))
    var counts: [PictureFormat: [Int: Int]] = [:]
    for picture in pictures {
      do {
        let pixels = try Image(contentsOf: picture.path, background: picture.background).pixels
        let difference = picture.difference(pixels)
        if let difference { counts[picture.format, default: [:]][difference, default: 0] += 1 }
        let isRight = difference.map { $0 <= picture.tolerance } ?? false
        #expect(isRight, "\(picture.name): \(difference.map(String.init) ?? "\(pixels.shape)")")
        let header = try PictureHeader(contentsOf: picture.path)
        #expect(Set([header.height, header.width]) == Set(picture.expected.shape.prefix(2)), "\(picture.name)")
      } catch {
        Issue.record("\(picture.name): \(error)")
      }
    }
    #expect(pictures.count >= 200)
    for (format, differences) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let list = differences.sorted { $0.key < $1.key }.map { "\($0.value) within \($0.key)" }
      print("\(format.rawValue): \(list.joined(separator: ", "))")
    }
  }

  /// As stored, so that a picture on its side has them exchanged.
  @Test(arguments: pictures) func headersTellTheSize(_ picture: DrawnPicture) throws {
    let header = try PictureHeader(contentsOf: picture.path)
    #expect(header.format == picture.format)
    let (height, width) = (picture.expected.shape[0], picture.expected.shape[1])
    let isOriented = picture.name.hasPrefix("orientation") && picture.name != "orientation-tag-0-6.jpg"
    let isTurned = isOriented && [5, 6, 7, 8].contains { picture.name.contains("-\($0).") }
    #expect(header.height == (isTurned ? width : height) && header.width == (isTurned ? height : width))
  }

  /// Products of sides are taken in many places.
  @Test func sidesHaveALimit() {
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    func header(_ side: [UInt8]) -> [UInt8] {
      signature + [0, 0, 0, 13] + Array("IHDR".utf8) + side + side + [8, 0, 0, 0, 0]
    }
    #expect(throws: DataError.self) { try PictureHeader(header([0xFF, 0xFF, 0xFF, 0xFF])[...], name: "x") }
    #expect(throws: DataError.self) { try PictureHeader(header([0x80, 0, 0, 0])[...], name: "x") }
    #expect(throws: Never.self) { try PictureHeader(header([0x7F, 0xFF, 0xFF, 0xFF])[...], name: "x") }
  }

  /// A picture above the limit comes out as the means of boxes of 2 x 2 pixels, at the edges of less.
  @Test(arguments: pictures.filter { $0.format != .jpeg && !$0.name.contains("orientation") })
  func largePicturesAreDecodedSmaller(_ picture: DrawnPicture) throws {
    let shape = picture.expected.shape
    let (height, width, channels) = ((shape[0] + 1) / 2, (shape[1] + 1) / 2, shape[2])
    let whole = try Image(contentsOf: picture.path, background: picture.background).pixels.bytes
    let small = try Image(
      contentsOf: picture.path, maximumPixelCount: height * width, background: picture.background
    ).pixels
    #expect(small.shape == [height, width, channels])
    for y in 0..<height {
      for x in 0..<width {
        for channel in 0..<channels {
          var values: [Int] = []
          for v in (2 * y)..<min(2 * y + 2, shape[0]) {
            for u in (2 * x)..<min(2 * x + 2, shape[1]) {
              values.append(Int(whole[(v * shape[1] + u) * channels + channel]))
            }
          }
          let mean = Double(values.reduce(0, +)) / Double(values.count)
          // Laid on its ground before or after: the mean of colours is rounded, and so is that of alpha.
          #expect(abs(Double(small.bytes[(y * width + x) * channels + channel]) - mean) <= 2.5)
        }
      }
    }
  }

  @Test func whatIsTooLargeIsRefused() {
    for picture in Self.pictures where picture.expected.shape.elementCount > 100 {
      #expect(message(picture.bytes, limit: 1).contains("pixels, the limit is 8"), "\(picture.name)")
    }
  }

  private func message(_ bytes: [UInt8], limit: Int = Image.defaultMaximumPixelCount) -> String {
    do {
      return "decoded \(try Image(encoded: bytes, name: "x", maximumPixelCount: limit).pixels.shape)"
    } catch {
      return "\(error)"
    }
  }

  /// The bytes at an end that hold no pixels; before them each byte counts.
  @Test(arguments: [
    ("3-2-key-5x2.png", 0), ("RGB-quality90-9x5.webp", 0), ("RGBA-losslessTrue-9x5.webp", 0), ("7-1-9x4.gif", 2),
    ("key.gif", 2), ("L-tiff_lzw-5x9.tif", 4), ("16-bit.tif", 0), ("tiles-big-3.tif", 0), ("RGB-5x3.bmp", 1),
    ("runs-4.bmp", 0), ("core.bmp", 3), ("RGB-16x16.heic", 0), ("RGB-444-95-16x16.avif", 0),
  ])
  func everyTruncationIsRefused(name: String, unneeded: Int) throws {
    guard let picture = Self.pictures.first(where: { $0.name == name }) else { return }
    let whole = picture.bytes
    for count in 0..<(whole.count - unneeded) {
      #expect(!message(Array(whole[..<count])).hasPrefix("decoded"), "\(count) of \(whole.count) bytes")
    }
  }

  /// No flipped byte may do more than fail or change pixels, of what is decoded and of what is read of a header.
  @Test(arguments: pictures) func flippedBytesDoNotCrash(_ picture: DrawnPicture) throws {
    let whole = picture.bytes
    for index in stride(from: 0, to: whole.count, by: max(1, whole.count / 500)) {
      for flip: UInt8 in [0xA5, 0xFF, 0x01] {
        var damaged = whole
        damaged[index] ^= flip
        _ = message(damaged, limit: 10_000)
        _ = try? PictureHeader(damaged[...], name: "x")
      }
    }
  }

  // MARK: Formats by their bytes

  @Test func brandsTellHEICFromAVIF() {
    func format(_ brands: [String]) -> PictureFormat? {
      let box = brands.map { Array($0.utf8) }
      return PictureFormat(
        header: [0, 0, 0, UInt8(8 + 4 * (brands.count + 1))] + Array("ftyp".utf8) + box[0] + [0, 0, 0, 0]
          + box.dropFirst().flatMap { $0 })
    }
    #expect(format(["heic", "mif1"]) == .heic && format(["avif", "mif1", "miaf"]) == .avif)
    #expect(format(["mif1", "avif"]) == .avif && format(["mif1", "heic"]) == .heic && format(["mif1"]) == .heic)
    #expect(format(["isom", "mp42"]) == nil && format(["qt  "]) == nil)
  }

  @Test func otherFormatsAreNamedAsWhatTheyAreNot() {
    let formats = "PNG, JPEG, GIF, WebP, TIFF, BMP, HEIC or AVIF"
    #expect(
      message(Array("%PDF-1.7".utf8))
        == "x: it is no picture of a format that is read: \(formats); convert it to PNG")
  }

  // MARK: Text of PNG files

  @Test(.withCodecs) func compressedTextHasALimit() throws {
    // 20 MB of zeros; a zlib stream is what a gzip member has between its ends, behind another head.
    let member = gzipBomb([], zeros: 20 << 20)
    let chunk = Array("zTXtkey\0\0".utf8) + [0x78, 0x01] + member[10...]
    let text = try PNGText(chunk: chunk, name: "x")
    #expect(text.bytes.count == PNGText.maximumByteCount)
    #expect(text.profile == [])
  }

  @Test func textChunksMayBeCutAnywhere() throws {
    for chunk in ["tEXtkey\0text", "iTXtkey\0\0\0en\0key\0text"] {
      let bytes = Array(chunk.utf8)
      #expect(try PNGText(chunk: bytes, name: "x").bytes == Array("text".utf8))
      for count in 0..<bytes.count { _ = try PNGText(chunk: Array(bytes[..<count]), name: "x") }
    }
    let profile = Array("tEXtRaw profile type exif\0\nexif\n   4\n4949\n2A00\n".utf8)
    #expect(try PNGText(chunk: profile, name: "x").profile == [0x49, 0x49, 0x2A, 0])
  }

  @Test func orientationOfXMPCountsWhereEXIFHasNone() {
    func value(_ xmp: String, exif: [UInt8] = []) -> Int { EXIFOrientation(exif: exif, xmp: Array(xmp.utf8)).value }
    #expect(value(#"<a tiff:Orientation="6">"#) == 6 && value("<tiff:Orientation>3</tiff:Orientation>") == 3)
    #expect(value("tiff:Orientation='8'") == 8 && value(#"tiff:OrientationX="6" tiff:Orientation="2""#) == 2)
    #expect(value(#"tiff:Orientation="9""#) == 1 && value("tiff:Orientation") == 1 && value("") == 1)
    let exif: [UInt8] = Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0]
    #expect(value(#"tiff:Orientation="6""#, exif: exif) == 3)
  }
}
