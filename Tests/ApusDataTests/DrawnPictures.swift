import ApusCore
import Foundation
import Testing

@testable import ApusData

/// A picture that `Scripts/pictures` drew, and what it is to be decoded to.
struct DrawnPicture: CustomTestStringConvertible {
  let path: String
  let expected: NDArray
  let tolerance: Int
  let background: Background

  var name: String { URL(filePath: path).lastPathComponent }
  var testDescription: String { name }

  /// `NAME.expected` beside it: height, width, channels, tolerance and ground in a line, and the pixels behind it.
  init(_ path: String) throws {
    let data = [UInt8](try Data(contentsOf: URL(filePath: path + ".expected")))
    let head = data.prefix { $0 != UInt8(ascii: "\n") }
    let words = String(decoding: head, as: UTF8.self).split(separator: " ")
    let numbers = words.prefix(4).map { Int($0)! }
    self.path = path
    expected = NDArray(Array(data.dropFirst(head.count + 1)), shape: Array(numbers.prefix(3)))
    tolerance = numbers[3]
    background = Background(parsing: String(words[4]))!
  }

  /// Those of a folder whose formats this machine can decode.
  static func all(in folder: String) -> [DrawnPicture] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".expected") }.sorted().map {
      try! DrawnPicture(folder + "/" + $0.dropLast(".expected".count))
    }.filter { $0.format.library?.problem == nil }
  }

  var bytes: [UInt8] { [UInt8](FileManager.default.contents(atPath: path)!) }

  /// By the name: what the bytes say is what is tested.
  var format: PictureFormat {
    let ending = String(name[name.index(after: name.lastIndex(of: ".")!)...])
    return PictureFormat.allCases.first { $0.extensions.contains(ending) }!
  }

  /// The largest difference of a pixel; `nil` for another shape.
  func difference(_ pixels: NDArray) -> Int? {
    guard pixels.shape == expected.shape else { return nil }
    return zip(pixels.bytes, expected.bytes).map { abs(Int($0) - Int($1)) }.max()
  }
}
