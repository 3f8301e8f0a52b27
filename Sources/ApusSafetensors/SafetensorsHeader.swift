import ApusCore

/// The checked header of a safetensors file: every entry fits its shape, and together they fill the file.
struct SafetensorsHeader {
  struct Entry {
    var name: String
    var type: StoredType
    var shape: [Int]
    var begin: Int
    var end: Int

    var byteCount: Int { end - begin }
  }

  static let metadataKey = "__metadata__"
  /// The reference implementation's limit on the header.
  static let maximumByteCount = 100_000_000
  private static let maximumRank = 64
  private static let maximumNameByteCount = 4096

  /// In the order of their bytes.
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]
  /// Where the first tensor begins in the file.
  let dataStart: Int

  /// Reads and checks the header, in pieces, so that a hostile one is refused before it costs memory.
  init(reading file: File) throws {
    let fileByteCount = try file.byteCount
    func failure(_ reason: String) -> SafetensorsError { SafetensorsError(path: file.path, reason: reason) }

    var length: UInt64 = 0
    guard try withUnsafeMutableBytes(of: &length, { try file.read(into: $0) }) == 8 else {
      throw failure("\(fileByteCount) bytes are too few for a safetensors file")
    }
    length = UInt64(littleEndian: length)
    guard length <= UInt64(Self.maximumByteCount) else {
      throw failure(
        "the header claims \(length) bytes, the format allows \(Self.maximumByteCount); not a safetensors file?")
    }
    guard Int(length) <= fileByteCount - 8 else {
      throw failure(
        "the header claims \(length) bytes, the file has \(fileByteCount - 8) after its first 8; it is cut short")
    }
    dataStart = 8 + Int(length)

    var reader = JSONReader(file: file, byteCount: Int(length))
    do {
      try parse(&reader)
    } catch let error as JSONReader.Malformed {
      throw failure("header, byte \(error.offset): \(error.reason)")
    } catch let error as EntryError {
      throw failure(error.reason)
    }
    do {
      try checkLayout(dataByteCount: fileByteCount - dataStart)
    } catch let error as EntryError {
      throw failure(error.reason)
    }
  }

  private struct EntryError: Error {
    var reason: String
  }

  private mutating func parse(_ reader: inout JSONReader) throws {
    var names: Set<String> = []
    guard try reader.startsObject() else { throw reader.malformed("a header starts with '{'") }
    while let name = try reader.nextKey(maximumByteCount: Self.maximumNameByteCount) {
      guard names.insert(name).inserted else { throw EntryError(reason: "the name '\(name)' appears twice") }
      if name == Self.metadataKey {
        guard try reader.startsObject() else { throw reader.malformed("'__metadata__' must be an object of strings") }
        while let key = try reader.nextKey(maximumByteCount: Self.maximumNameByteCount) {
          let value = try reader.string(maximumByteCount: Self.maximumByteCount)
          guard metadata.updateValue(value, forKey: key) == nil else {
            throw EntryError(reason: "the metadata key '\(key)' appears twice")
          }
        }
      } else {
        entries.append(try Self.entry(named: name, &reader))
      }
    }
    try reader.finish()
  }

  /// `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`, in any order.
  private static func entry(named name: String, _ reader: inout JSONReader) throws -> Entry {
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    func failure(_ reason: String) -> EntryError { EntryError(reason: "tensor '\(name)': \(reason)") }

    guard try reader.startsObject() else { throw reader.malformed("tensor '\(name)' must be an object") }
    while let key = try reader.nextKey(maximumByteCount: 64) {
      let isRepeated: Bool
      switch key {
      case "dtype":
        isRepeated = typeName != nil
        typeName = try reader.string(maximumByteCount: 64)
      case "shape":
        isRepeated = shape != nil
        shape = try reader.naturalNumbers(maximumCount: maximumRank)
      case "data_offsets":
        isRepeated = offsets != nil
        offsets = try reader.naturalNumbers(maximumCount: 2)
      default:
        throw failure("unknown key '\(key)'")
      }
      if isRepeated { throw failure("the key '\(key)' appears twice") }
    }
    guard let typeName, let shape, let offsets, offsets.count == 2 else {
      throw failure("'dtype', 'shape' and two 'data_offsets' are needed")
    }
    let type = StoredType(name: typeName)
    guard offsets[0] <= offsets[1] else { throw failure("it ends at \(offsets[1]), before it begins at \(offsets[0])") }
    guard let count = shape.checkedElementCount,
      case let (size, overflow) = count.multipliedReportingOverflow(by: type.byteCount ?? 1),
      !overflow
    else { throw failure("the shape \(shape) overflows") }
    guard size == offsets[1] - offsets[0] || type.byteCount == nil else {
      throw failure("\(typeName) \(shape) takes \(size) bytes, its offsets leave \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  /// Sorts the entries by place and checks that they fill the data without a hole or an overlap.
  private mutating func checkLayout(dataByteCount: Int) throws {
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var position = 0
    for entry in entries {
      guard entry.begin == position else {
        let fault = entry.begin < position ? "overlaps the tensor before it" : "leaves a hole before it"
        throw EntryError(reason: "tensor '\(entry.name)' begins at \(entry.begin) instead of \(position): it \(fault)")
      }
      position = entry.end
    }
    guard position == dataByteCount else {
      throw EntryError(
        reason: "the tensors take \(position) bytes, the file holds \(dataByteCount); cut short or padded")
    }
  }
}

extension SafetensorsHeader {
  /// The JSON header for tensors laid one after another, padded with spaces so that the data begins at a multiple of 8.
  static func encode(_ tensors: [Safetensors.NamedArray], metadata: [String: String]) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\(quoted(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for (name, array) in tensors {
      let shape = array.shape.map(String.init).joined(separator: ",")
      let end = begin + array.byteCount
      let type = StoredType.name(of: array.dtype)
      fields.append("\(quoted(name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    return header
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
