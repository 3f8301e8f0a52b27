import ApusCore

/// A strict, pull-style reader of the little JSON that a safetensors header may hold.
///
/// The caller asks for what the format allows next, so nothing is nested deeper than the format and no tree is built;
/// the text comes from the file in pieces, so a refused header was never in memory. `JSONSerialization` cannot
/// serve here: it keeps one of two equal keys without a word.
struct JSONReader {
  struct Malformed: Error {
    var offset: Int
    var reason: String
  }

  private let file: File
  private let byteCount: Int
  private var buffer: [UInt8] = []
  private var position = 0
  /// Where `buffer` begins in the text.
  private var bufferStart = 0
  private var isFirstMember = false

  /// Reads `byteCount` bytes of JSON from the file's position on.
  init(file: File, byteCount: Int) {
    self.file = file
    self.byteCount = byteCount
  }

  private var offset: Int { bufferStart + position }

  func malformed(_ reason: String) -> Malformed { Malformed(offset: offset, reason: reason) }

  // MARK: Values

  /// Consumes `{`, if that is next.
  mutating func startsObject() throws -> Bool {
    try skipSpace()
    guard try peek() == UInt8(ascii: "{") else { return false }
    position += 1
    isFirstMember = true
    return true
  }

  /// The next key of the open object with its colon, or `nil` after its `}`.
  mutating func nextKey(maximumByteCount: Int) throws -> String? {
    try skipSpace()
    if try peek() == UInt8(ascii: "}") {
      position += 1
      isFirstMember = false
      return nil
    }
    if !isFirstMember { try expect(",") }
    isFirstMember = false
    let key = try string(maximumByteCount: maximumByteCount)
    try expect(":")
    return key
  }

  /// A string, as UTF-8 with escapes resolved.
  mutating func string(maximumByteCount: Int) throws -> String {
    try expect("\"")
    var bytes: [UInt8] = []
    while true {
      let byte = try next()
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw malformed("a string is not valid UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): bytes.append(contentsOf: String(try escapedScalar()).utf8)
      case 0..<0x20: throw malformed("a control character in a string")
      default: bytes.append(byte)
      }
      if bytes.count > maximumByteCount { throw malformed("a string is longer than \(maximumByteCount) bytes") }
    }
  }

  /// An array of integers from zero up to `Int.max`.
  mutating func naturalNumbers(maximumCount: Int) throws -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    try skipSpace()
    if try peek() == UInt8(ascii: "]") {
      position += 1
      return numbers
    }
    while true {
      numbers.append(try naturalNumber())
      if numbers.count > maximumCount { throw malformed("more than \(maximumCount) numbers in a list") }
      try skipSpace()
      switch try next() {
      case UInt8(ascii: ","): continue
      case UInt8(ascii: "]"): return numbers
      default: throw malformed("',' or ']' expected; numbers here are plain integers")
      }
    }
  }

  /// Checks that only white space is left.
  mutating func finish() throws {
    try skipSpace()
    if try peek() != nil { throw malformed("text after the end of the header") }
  }

  // MARK: Pieces

  private mutating func naturalNumber() throws -> Int {
    try skipSpace()
    let start = offset
    var value = 0
    var hasLeadingZero = false
    while let byte = try peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      if hasLeadingZero { throw malformed("a number with a leading zero") }
      hasLeadingZero = offset == start && byte == UInt8(ascii: "0")
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      if overflow || carry { throw malformed("a number that does not fit 64 bits") }
      value = sum
      position += 1
    }
    if offset == start { throw malformed("a whole number, zero or more, is expected") }
    return value
  }

  private mutating func escapedScalar() throws -> Unicode.Scalar {
    switch try next() {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimalUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A surrogate: the second half must follow.
      guard unit < 0xDC00, try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u"),
        case let low = try hexadecimalUnit(), (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw malformed("half of a surrogate pair") }
      return scalar
    default: throw malformed("an unknown escape in a string")
    }
  }

  private mutating func hexadecimalUnit() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else {
        throw malformed("four hexadecimal digits are expected")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    try skipSpace()
    guard try peek() == UInt8(ascii: character) else { throw malformed("'\(character)' expected") }
    position += 1
  }

  private mutating func skipSpace() throws {
    while let byte = try peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func next() throws -> UInt8 {
    guard let byte = try peek() else { throw malformed("the header ends too early") }
    position += 1
    return byte
  }

  /// The next byte, or `nil` at the end of the text.
  private mutating func peek() throws -> UInt8? {
    if position == buffer.count {
      bufferStart += buffer.count
      position = 0
      let count = min(1 << 16, byteCount - bufferStart)
      buffer = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        let room = UnsafeMutableRawBufferPointer(buffer)
        initialized = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
      }
      if buffer.isEmpty { return nil }
    }
    return buffer[position]
  }
}
