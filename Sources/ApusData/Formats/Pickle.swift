import ApusCore

/// A reader of Python's pickles for data alone: a dictionary of numbers, texts, lists of these, and numpy arrays of
/// bytes, which is what CIFAR's batches are.
///
/// A pickle is a program, which may call whatever Python has. Here nothing is called: three names of numpy are known, in
/// the one way in which numpy writes an array; any other name or opcode ends the reading with an error. Values are
/// nested no deeper than such files nest them, and there are at most a million opcodes.
/// Source: Python's `pickletools`, protocols 2 to 4.
struct Pickle {
  let name: String
  private let bytes: [UInt8]
  private let entries: [String: Value]

  /// - Parameter name: what messages call it.
  /// - Throws: `DataError` for anything but such a dictionary.
  init(_ bytes: [UInt8], name: String) throws {
    var reader = PickleReader(bytes, name: name)
    entries = try reader.dictionary()
    (self.bytes, self.name) = (bytes, name)
  }

  /// The list of numbers under `key`; `nil` where there is no such key.
  func integers(_ key: String) throws -> [Int]? {
    guard let value = entries[key] else { return nil }
    guard case .list(let list) = value else { throw wrong(key, "is no list") }
    return try list.elements.map {
      guard case .integer(let number) = $0 else { throw wrong(key, "holds something else than numbers") }
      return number
    }
  }

  /// The array of bytes under `key`, row-major.
  func array(_ key: String) throws -> (shape: [Int], bytes: ArraySlice<UInt8>) {
    guard case .array(let array)? = entries[key], let content = array.content else {
      throw wrong(key, "is no numpy array")
    }
    return (array.shape, bytes[content])
  }

  private func wrong(_ key: String, _ reason: String) -> DataError {
    DataError(.malformed, at: name, "its entry '\(key)' \(reason)", advice: "use the file as it was published")
  }

  enum Value {
    case none
    case truth(Bool)
    case integer(Int)
    /// Bytes or text: a range of the file.
    case text(Range<Int>)
    case tuple([Value])
    case list(List)
    case dictionary(Dictionary)
    /// A name that a pickle may ask for.
    case numpy(Name)
    case type(String)
    case array(Array)
  }

  enum Name { case reconstruct, array, type }

  // Objects, since a pickle may fill one after it has given it a number.
  final class List { var elements: [Value] = [] }
  final class Dictionary { var entries: [String: Value] = [:] }
  final class Array {
    var shape: [Int] = []
    var content: Range<Int>?
  }
}

/// Runs through a pickle's opcodes.
private struct PickleReader {
  private let bytes: [UInt8]
  private let name: String
  private var position = 0
  private var stack: [Pickle.Value] = []
  /// Heights of the stack at which a mark was set.
  private var marks: [Int] = []
  private var memo: [Int: Pickle.Value] = [:]

  private static let maximumOpcodeCount = 1 << 20
  /// Of a tuple: numpy's longest has 8 elements.
  private static let maximumTupleCount = 16

  init(_ bytes: [UInt8], name: String) { (self.bytes, self.name) = (bytes, name) }

  mutating func dictionary() throws -> [String: Pickle.Value] {
    for _ in 0..<Self.maximumOpcodeCount {
      let opcode = bytes.indices.contains(position) ? bytes[position] : nil
      guard let opcode else { throw damaged("ends too early") }
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, case .dictionary(let result) = stack[0] else { throw damaged("is no dictionary") }
        return result.entries
      }
      position += 1
      try step(opcode)
    }
    throw damaged("has more than \(Self.maximumOpcodeCount) opcodes")
  }

  private mutating func step(_ opcode: UInt8) throws {
    switch opcode {
    case 0x80:  // PROTO
      let version = try number(1)
      guard (2...4).contains(version) else { throw damaged("is of protocol \(version); 2 to 4 are read") }
    case 0x95: _ = try take(8)  // FRAME
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.truth(true))
    case 0x89: stack.append(.truth(false))
    case UInt8(ascii: "K"): stack.append(.integer(try number(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(2)))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "U"), UInt8(ascii: "C"), 0x8C: try pushText(sizeByteCount: 1)
    case UInt8(ascii: "T"), UInt8(ascii: "B"), UInt8(ascii: "X"): try pushText(sizeByteCount: 4)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): stack.append(.tuple([]))
    case UInt8(ascii: "t"): try pushTuple(try popToMark())
    case 0x85, 0x86, 0x87: try pushTuple(try pop(Int(opcode) - 0x84))
    case UInt8(ascii: "]"): stack.append(.list(Pickle.List()))
    case UInt8(ascii: "}"): stack.append(.dictionary(Pickle.Dictionary()))
    case UInt8(ascii: "a"): try appendToList(try pop(1))
    case UInt8(ascii: "e"): try appendToList(try popToMark())
    case UInt8(ascii: "s"): try putInDictionary(try pop(2))
    case UInt8(ascii: "u"): try putInDictionary(try popToMark())
    case UInt8(ascii: "q"): memo[try number(1)] = try top()
    case UInt8(ascii: "r"): memo[try number(4)] = try top()
    case 0x94: memo[memo.count] = try top()  // MEMOIZE
    case UInt8(ascii: "h"): try pushMemo(try number(1))
    case UInt8(ascii: "j"): try pushMemo(try number(4))
    case UInt8(ascii: "c"): try pushName(try line(), try line())
    case 0x93:  // STACK_GLOBAL
      guard case .text(let name)? = stack.popLast(), case .text(let module)? = stack.popLast() else {
        throw damaged("asks for something without a name")
      }
      try pushName(text(module), text(name))
    case UInt8(ascii: "R"): try reduce()
    case UInt8(ascii: "b"): try build()
    default:
      throw damaged(
        "has the opcode 0x\(String(opcode, radix: 16)) at byte \(position - 1), which plain data do not need")
    }
  }

  // MARK: Objects

  /// Lists hold nothing that could hold other things.
  private mutating func appendToList(_ values: [Pickle.Value]) throws {
    guard case .list(let list) = try top() else { throw damaged("adds to something that is no list") }
    guard values.allSatisfy(Self.isSimple) else { throw damaged("has lists of more than numbers and texts") }
    list.elements += values
  }

  private mutating func putInDictionary(_ values: [Pickle.Value]) throws {
    guard case .dictionary(let dictionary) = try top(), values.count % 2 == 0 else {
      throw damaged("adds to something that is no dictionary")
    }
    for index in stride(from: 0, to: values.count, by: 2) {
      guard case .text(let key) = values[index] else { throw damaged("has a key that is no text") }
      if case .dictionary = values[index + 1] { throw damaged("has a dictionary in a dictionary") }
      dictionary.entries[text(key)] = values[index + 1]
    }
  }

  private mutating func pushTuple(_ values: [Pickle.Value]) throws {
    let isFlat = values.allSatisfy { value in
      switch value {
      case .tuple(let inner): inner.allSatisfy(Self.isSimple)
      case .numpy, .type: true
      default: Self.isSimple(value)
      }
    }
    guard isFlat, values.count <= Self.maximumTupleCount else {
      throw damaged("has tuples of more than numpy's arrays need")
    }
    stack.append(.tuple(values))
  }

  private static func isSimple(_ value: Pickle.Value) -> Bool {
    switch value {
    case .none, .truth, .integer, .text: true
    case .tuple, .list, .dictionary, .numpy, .type, .array: false
    }
  }

  private mutating func pushName(_ module: String, _ name: String) throws {
    switch (module, name) {
    case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"):
      stack.append(.numpy(.reconstruct))
    case ("numpy", "ndarray"): stack.append(.numpy(.array))
    case ("numpy", "dtype"): stack.append(.numpy(.type))
    default:
      throw damaged(
        "asks for \(FilePath.printable("\(module).\(name)")), which plain data do not need; nothing was run")
    }
  }

  /// `numpy._reconstruct(numpy.ndarray, ...)` makes an array that is filled later, `numpy.dtype('u1', ...)` a type.
  private mutating func reduce() throws {
    let call = try pop(2)
    switch (call[0], call[1]) {
    case (.numpy(.reconstruct), .tuple(let arguments)):
      guard case .numpy(.array)? = arguments.first else { throw damaged("makes something that is no numpy array") }
      stack.append(.array(Pickle.Array()))
    case (.numpy(.type), .tuple(let arguments)):
      guard case .text(let code)? = arguments.first else { throw damaged("has a numpy type without a name") }
      stack.append(.type(text(code)))
    default: throw damaged("calls something, which plain data do not need; nothing was run")
    }
  }

  /// Fills an array: version, shape, type, whether column-major, bytes. What a type is told (its byte order) says nothing
  /// of bytes.
  private mutating func build() throws {
    let state = try pop(1)[0]
    switch (try top(), state) {
    case (.type, .tuple): break
    case (.array(let array), .tuple(let state)):
      guard state.count == 5, case .tuple(let sizes) = state[1], case .type(let type) = state[2],
        case .text(let content) = state[4]
      else { throw damaged("has a numpy array of another kind") }
      let isRowMajor =
        switch state[3] {
        case .truth(let isColumnMajor): !isColumnMajor
        case .integer(let number): number == 0
        default: false
        }
      guard isRowMajor, type == "u1" || type == "|u1" else {
        throw damaged("has an array of type '\(FilePath.printable(type))'; unsigned bytes in row-major order are read")
      }
      let shape = sizes.map { if case .integer(let size) = $0 { size } else { -1 } }
      guard shape.checkedElementCount == content.count else {
        throw damaged("has an array of \(content.count) bytes that should be \(shape.shapeDescription)")
      }
      (array.shape, array.content) = (shape, content)
    default: throw damaged("fills something that is no numpy array")
    }
  }

  // MARK: The stack

  private func top() throws -> Pickle.Value {
    guard stack.count > (marks.last ?? 0), let value = stack.last else { throw damaged("takes from an empty stack") }
    return value
  }

  private mutating func pop(_ count: Int) throws -> [Pickle.Value] {
    guard stack.count - (marks.last ?? 0) >= count else { throw damaged("takes from an empty stack") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [Pickle.Value] {
    guard let mark = marks.popLast() else { throw damaged("takes from an empty stack") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func pushMemo(_ number: Int) throws {
    guard let value = memo[number] else { throw damaged("uses a value that it has not named") }
    stack.append(value)
  }

  // MARK: Bytes

  private mutating func take(_ count: Int) throws -> Range<Int> {
    guard count <= bytes.count - position else { throw damaged("ends too early") }
    defer { position += count }
    return position..<(position + count)
  }

  private mutating func number(_ byteCount: Int) throws -> Int {
    bytes.number(at: try take(byteCount).lowerBound, bytes: byteCount)
  }

  private mutating func pushText(sizeByteCount: Int) throws {
    stack.append(.text(try take(try number(sizeByteCount))))
  }

  private mutating func line() throws -> String {
    let longest = bytes[position...].prefix(200)
    guard let end = longest.firstIndex(of: UInt8(ascii: "\n")) else { throw damaged("has a name without an end") }
    defer { position = end + 1 }
    return text(position..<end)
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private func damaged(_ reason: String) -> DataError {
    DataError(
      .malformed, at: name, "the pickle \(reason)", advice: "use the file as it was published, or the binary version")
  }
}
