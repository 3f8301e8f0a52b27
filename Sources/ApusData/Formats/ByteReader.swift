import ApusCore
import CImage

/// Reads a file, or bytes, from beginning to end, through gzip when they start with gzip's mark.
final class ByteReader {
  let path: String
  let isCompressed: Bool
  /// A longer content is given up; see `init`.
  let maximumByteCount: Int

  private var source: Source
  private let decoder: OpaquePointer?
  private var input = [UInt8](repeating: 0, count: 1 << 16)
  private var inputRange = 0..<0
  private var isAtEnd = false
  private var contentByteCount = 0

  /// DEFLATE can expand 1032 times, which no data set does: what expands more than 64 times is made to fill a memory.
  /// Small files may, for they cannot do harm.
  static let maximumRatio = 64
  static let smallByteCount = 64 << 20

  /// What is read, as it is stored.
  private enum Source {
    case file(File)
    case memory(ArraySlice<UInt8>)

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      switch self {
      case .file(let file): return try file.read(into: buffer)
      case .memory(let bytes):
        let piece = bytes.prefix(buffer.count)
        piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[..<$0.count]).copyMemory(from: $0) }
        self = .memory(bytes.dropFirst(piece.count))
        return piece.count
      }
    }
  }

  /// - Parameter maximumByteCount: What the caller can use; compressed content may be shorter than that.
  convenience init(path: String, maximumByteCount limit: Int = .max) throws {
    let file = try File(reading: path)
    var mark = [UInt8](repeating: 0, count: 2)
    let markCount = try mark.withUnsafeMutableBytes { try file.read(into: $0) }
    try file.seek(to: 0)
    try self.init(.file(file), try file.byteCount, Array(mark[..<markCount]), path, maximumByteCount: limit)
  }

  /// - Parameter name: what messages call them.
  convenience init(bytes: [UInt8], name: String, maximumByteCount limit: Int = .max) throws {
    try self.init(.memory(bytes[...]), bytes.count, Array(bytes.prefix(2)), name, maximumByteCount: limit)
  }

  private init(
    _ source: Source, _ byteCount: Int, _ mark: [UInt8], _ path: String, maximumByteCount limit: Int
  ) throws {
    self.path = path
    self.source = source
    isCompressed = mark == [0x1F, 0x8B]
    let (expanded, overflow) = byteCount.multipliedReportingOverflow(by: Self.maximumRatio)
    maximumByteCount = min(limit, isCompressed ? max(Self.smallByteCount, overflow ? .max : expanded) : byteCount)
    if isCompressed { try SystemLibrary.zlib.require(for: path) }
    decoder = isCompressed ? apus_inflate_create(APUS_DEFLATE_FRAMED) : nil
    if isCompressed && decoder == nil { throw DataError(.malformed, at: path, "no memory to decompress it") }
  }

  deinit { apus_inflate_destroy(decoder) }

  /// Reads until `buffer` is full or the content ends; returns the number of bytes read.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let decoder else { return try source.read(into: buffer) }
    var done = 0
    while done < buffer.count && !isAtEnd {
      if inputRange.isEmpty { try refill() }
      var consumed = 0
      var produced = 0
      let out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self) + done
      let status = input.withUnsafeBufferPointer { input in
        apus_inflate_step(
          decoder, input.baseAddress! + inputRange.lowerBound, inputRange.count, &consumed, out, buffer.count - done,
          &produced)
      }
      inputRange = (inputRange.lowerBound + consumed)..<inputRange.upperBound
      done += produced
      contentByteCount += produced
      if contentByteCount > maximumByteCount {
        throw damaged("its compressed data goes on after \(maximumByteCount) bytes, more than belong there")
      }
      switch status {
      case APUS_INFLATE_MORE:
        if consumed == 0 && produced == 0 { throw damaged("its compressed data ends too early") }
      case APUS_INFLATE_END:
        // A gzip file may hold several members, one after another, and zeros behind them that fill a block.
        try skipZeros()
        isAtEnd = inputRange.isEmpty
        if !isAtEnd && apus_inflate_restart(decoder) != APUS_INFLATE_MORE { throw damaged("it cannot be decompressed") }
      case APUS_INFLATE_NO_MEMORY: throw damaged("no memory to decompress it")
      default: throw damaged("its compressed data is damaged")
      }
    }
    return done
  }

  /// Reads `count` bytes; the content must have them.
  func readExactly(_ count: Int, of what: String) throws -> [UInt8] {
    guard count <= maximumByteCount else {
      throw damaged("it is too small to hold \(count) bytes of \(what)")
    }
    try HostMemory.require(count, for: "\(what) of \(path)")
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let room = UnsafeMutableRawBufferPointer(buffer)
      initialized = try read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
    }
    guard bytes.count == count else {
      throw damaged("it ends after \(bytes.count) of \(count) bytes of \(what)")
    }
    return bytes
  }

  /// Reads past `count` bytes.
  func skip(_ count: Int, of what: String) throws {
    var left = count
    while left > 0 {
      let step = min(left, 1 << 20)
      _ = try readExactly(step, of: what)
      left -= step
    }
  }

  /// Checks that the content is at its end (and so, for gzip, that its checksum is right).
  func expectEnd() throws {
    var extra: UInt8 = 0
    guard try withUnsafeMutableBytes(of: &extra, { try read(into: $0) }) == 0 else {
      throw damaged("it goes on after its contents should have ended")
    }
  }

  private func refill() throws {
    let count = try input.withUnsafeMutableBytes { try source.read(into: $0) }
    inputRange = 0..<count
  }

  private func skipZeros() throws {
    while true {
      if inputRange.isEmpty { try refill() }
      if inputRange.isEmpty { return }
      let start = input[inputRange].firstIndex { $0 != 0 } ?? inputRange.upperBound
      inputRange = start..<inputRange.upperBound
      if !inputRange.isEmpty { return }
    }
  }

  private func damaged(_ reason: String) -> DataError {
    DataError(.malformed, at: path, reason, advice: "remove the file and let it be downloaded again")
  }
}
