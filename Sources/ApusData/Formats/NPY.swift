import ApusCore

/// An array in numpy's NPY format: a mark, a version, a header in Python's words, the elements.
///
/// Whole numbers of 8 to 64 bits, row-major. Arrays of Python objects, which would be pickles, are refused.
/// Source: numpy's `numpy.lib.format`, versions 1 to 3.
struct NPY {
  let shape: [Int]
  /// One byte each where `elementByteCount` is 1.
  let bytes: ArraySlice<UInt8>
  private let elementByteCount: Int
  private let isSigned: Bool
  private let isBigEndian: Bool
  private let name: String

  /// - Parameter name: what messages call it.
  /// - Throws: `DataError` for anything else, and where the elements are not as many as the shape says.
  init(_ file: [UInt8], name: String) throws {
    func damaged(_ reason: String) -> DataError {
      DataError(.malformed, at: name, reason, advice: "use an array of whole numbers that numpy has saved")
    }
    guard file.starts(with: [0x93] + Array("NUMPY".utf8)), file.count >= 12, (1...3).contains(file[6]) else {
      throw damaged("it is not a numpy array")
    }
    let sizeByteCount = file[6] == 1 ? 2 : 4
    let start = 8 + sizeByteCount
    let end = start + file.number(at: 8, bytes: sizeByteCount)
    guard end <= file.count else { throw damaged("its header is cut short") }
    let header = String(decoding: file[start..<end], as: UTF8.self)
    func value(_ key: String, _ pattern: Regex<(Substring, Substring)>) throws -> String {
      guard let range = header.firstRange(of: "'\(key)':"),
        let match = header[range.upperBound...].prefixMatch(of: pattern)
      else { throw damaged("its header says nothing of '\(key)' that can be read: \(header.prefix(120))") }
      return String(match.1)
    }
    let type = try value("descr", /\s*'([^']*)'/)
    guard try value("fortran_order", /\s*(\w+)/) == "False" else { throw damaged("it is in column-major order") }
    guard let parsed = type.wholeMatch(of: /([<>|=])([iu])([1248])/), let byteCount = Int(parsed.3) else {
      throw damaged("its elements are '\(type)', no whole numbers")
    }
    let sizes = try value("shape", /\s*\(([^)]*)\)/).split(separator: ",").map {
      Int($0.filter { !$0.isWhitespace }) ?? -1
    }
    bytes = file[end...]
    guard let count = sizes.checkedElementCount, count > 0, bytes.count / byteCount == count,
      bytes.count % byteCount == 0
    else { throw damaged("its \(bytes.count) bytes are not \(sizes.shapeDescription) elements of \(byteCount)") }
    (shape, elementByteCount, isSigned, isBigEndian) = (sizes, byteCount, parsed.2 == "i", parsed.1 == ">")
    self.name = name
  }

  /// The elements, which must be bytes.
  func pixels() throws -> [UInt8] {
    guard elementByteCount == 1, !isSigned else {
      throw DataError(
        .malformed, at: name, "its pixels are numbers of \(8 * elementByteCount) bits",
        advice: "save them as unsigned bytes (uint8)")
    }
    return Array(bytes)
  }

  /// The elements as numbers, which must be small.
  func integers() throws -> [Int32] {
    try (0..<shape.elementCount).map { index in
      let start = bytes.startIndex + index * elementByteCount
      let element = bytes[start..<(start + elementByteCount)]
      let bits = (isBigEndian ? Array(element) : element.reversed()).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      // The highest of its bits is the sign.
      let shift = UInt64(64 - 8 * elementByteCount)
      let number = isSigned ? Int64(bitPattern: bits << shift) >> Int64(shift) : Int64(clamping: bits)
      guard let small = Int32(exactly: number) else {
        throw DataError(.malformed, at: name, "its element \(index) is \(number), no label")
      }
      return small
    }
  }
}
