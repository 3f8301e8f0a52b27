import ApusCore
import CImage

/// Reads a file from beginning to end, through gzip when the file starts with gzip's mark.
final class ByteReader {
  let path: String
  let isCompressed: Bool
  /// A longer content is given up; see `init`.
  let maximumByteCount: Int

  private let file: File
  private let decoder: OpaquePointer?
  private var input = [UInt8](repeating: 0, count: 1 << 16)
  private var inputRange = 0..<0
  private var isAtEnd = false
  private var contentByteCount = 0

  /// DEFLATE can expand 1032 times, which no data set does: what expands more than 64 times is made to fill a memory.
  /// Small files may, for they cannot do harm.
  private static let maximumRatio = 64
  private static let smallByteCount = 64 << 20

  /// - Parameter maximumByteCount: What the caller can use; compressed content may be shorter than that.
  init(path: String, maximumByteCount limit: Int = .max) throws {
    let file = try File(reading: path)
    let byteCount = try file.byteCount
    var mark: (UInt8, UInt8) = (0, 0)
    let markCount = try withUnsafeMutableBytes(of: &mark) { try file.read(into: $0) }
    try file.seek(to: 0)
    self.path = path
    self.file = file
    isCompressed = markCount == 2 && mark == (0x1F, 0x8B)
    let (expanded, overflow) = byteCount.multipliedReportingOverflow(by: Self.maximumRatio)
    maximumByteCount = min(limit, isCompressed ? max(Self.smallByteCount, overflow ? .max : expanded) : byteCount)
    if isCompressed { try SystemLibrary.zlib.require(for: path) }
    decoder = isCompressed ? apus_inflate_create() : nil
    if isCompressed && decoder == nil { throw DataError(.malformed, at: path, "no memory to decompress it") }
  }

  deinit { apus_inflate_destroy(decoder) }

  /// Reads until `buffer` is full or the content ends; returns the number of bytes read.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let decoder else { return try file.read(into: buffer) }
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
    let count = try input.withUnsafeMutableBytes { try file.read(into: $0) }
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
