import ApusCore
import CImage

/// Reads members of a zip archive into memory by their names, stored or deflated.
///
/// Nothing is written, and only a member of exactly the name that is asked for is read, so links, absolute paths and
/// `..` in an archive have no effect. Sizes come from the central directory (APPNOTE 6.3, 4.3.12), which every writer
/// fills; members of 4 GiB and more (zip64) are not read.
struct ZipReader {
  private struct Member {
    var isEncrypted: Bool
    var method: Int
    var crc: UInt32
    var storedByteCount: Int
    var byteCount: Int
    var headerOffset: Int
  }

  let path: String
  private let file: File
  private let members: [String: [Member]]

  /// Members of an archive; one with more is none of a data set.
  private static let maximumMemberCount = 10_000
  private static let maximumDirectoryByteCount = 4 << 20
  /// The end record, and the comment that may follow it.
  private static let endByteCount = 22
  private static let maximumCommentByteCount = 65_535

  /// Opens an archive and reads its directory.
  ///
  /// - Throws: `DataError` for a damaged archive, or where zlib is not installed; `FileError`.
  init(path: String) throws {
    try SystemLibrary.zlib.require(for: path)
    self.path = path
    file = try File(reading: path)
    let byteCount = try file.byteCount
    let tailCount = min(byteCount, Self.endByteCount + Self.maximumCommentByteCount)
    let tail = try Self.bytes(of: file, at: byteCount - tailCount, count: tailCount)
    guard
      let end = stride(from: tail.count - Self.endByteCount, through: 0, by: -1).first(where: {
        tail[$0] == 0x50 && tail.number(at: $0, bytes: 4) == 0x0605_4B50
      })
    else { throw Self.damaged(path, "it is not a zip archive, or its end is cut off") }
    let count = tail.number(at: end + 10, bytes: 2)
    let (size, offset) = (tail.number(at: end + 12, bytes: 4), tail.number(at: end + 16, bytes: 4))
    guard count <= Self.maximumMemberCount, size <= Self.maximumDirectoryByteCount, offset + size <= byteCount else {
      throw Self.damaged(path, "its directory claims \(count) members and \(size) bytes at \(offset)")
    }
    let directory = try Self.bytes(of: file, at: offset, count: size)
    var found: [String: [Member]] = [:]
    var place = 0
    for _ in 0..<count {
      guard place + 46 <= directory.count, directory.number(at: place, bytes: 4) == 0x0201_4B50 else {
        throw Self.damaged(path, "its directory is damaged")
      }
      func number(_ offset: Int, _ bytes: Int) -> Int { directory.number(at: place + offset, bytes: bytes) }
      let nameEnd = place + 46 + number(28, 2)
      guard nameEnd <= directory.count else { throw Self.damaged(path, "its directory is damaged") }
      let name = String(decoding: directory[(place + 46)..<nameEnd], as: UTF8.self)
      found[name, default: []].append(
        Member(
          isEncrypted: number(8, 2) & 1 == 1, method: number(10, 2), crc: UInt32(number(16, 4)),
          storedByteCount: number(20, 4), byteCount: number(24, 4), headerOffset: number(42, 4)))
      place = nameEnd + number(30, 2) + number(32, 2)
    }
    members = found
  }

  func contains(_ name: String) -> Bool { members[name] != nil }

  /// The content of the member of that name, whose checksum is right.
  ///
  /// - Parameter maximumByteCount: what the caller can use; a member that claims more is refused before memory is taken.
  /// - Throws: `DataError` where it is missing, there twice, encrypted, compressed otherwise, too large or damaged.
  func content(of name: String, maximumByteCount: Int) throws -> [UInt8] {
    func damaged(_ reason: String) -> DataError { Self.damaged(path, "its member \(name) \(reason)") }
    guard let found = members[name], let member = found.first else {
      throw DataError(.malformed, at: path, "it does not hold \(name)", advice: "use the archive as it was published")
    }
    if found.count > 1 { throw damaged("is there twice") }
    if member.isEncrypted { throw damaged("is encrypted") }
    guard member.method == 0 || member.method == 8 else {
      throw damaged("is compressed by method \(member.method), which is not read; only stored and deflated ones are")
    }
    let most = max(ByteReader.smallByteCount, member.storedByteCount * ByteReader.maximumRatio)
    guard member.byteCount <= min(maximumByteCount, most),
      member.method == 8 || member.storedByteCount == member.byteCount
    else { throw damaged("claims \(member.byteCount) bytes from \(member.storedByteCount), which cannot be right") }

    let local = try Self.bytes(of: file, at: member.headerOffset, count: 30)
    guard local.count == 30, local.number(at: 0, bytes: 4) == 0x0403_4B50 else { throw damaged("has no header") }
    let start = member.headerOffset + 30 + local.number(at: 26, bytes: 2) + local.number(at: 28, bytes: 2)
    guard start + member.storedByteCount <= (try file.byteCount) else { throw damaged("goes beyond the archive's end") }
    try HostMemory.require(member.byteCount, for: "\(name) of \(path)")
    try file.seek(to: start)
    let content =
      try member.method == 0
      ? Self.bytes(of: file, at: start, count: member.byteCount) : inflate(member, damaged)
    guard content.count == member.byteCount else { throw damaged("ends after \(content.count) bytes") }
    guard content.withUnsafeBufferPointer({ apus_crc32($0.baseAddress, $0.count) }) == member.crc else {
      throw damaged("has another checksum than its contents")
    }
    return content
  }

  /// Inflates what lies at the file's position; not a byte more than the member claims.
  private func inflate(_ member: Member, _ damaged: (String) -> DataError) throws -> [UInt8] {
    guard let decoder = apus_inflate_create(APUS_DEFLATE_RAW) else { throw damaged("needs memory that there is not") }
    defer { apus_inflate_destroy(decoder) }
    var input = [UInt8](repeating: 0, count: 1 << 16)
    // One byte of room more: where it is written, the content is longer than the directory says.
    let room = member.byteCount + 1
    return try [UInt8](unsafeUninitializedCapacity: room) { out, initialized in
      var (left, status) = (member.storedByteCount, APUS_INFLATE_MORE)
      while status == APUS_INFLATE_MORE {
        let count = min(left, input.count)
        guard count > 0, initialized < room else { throw damaged("does not end where it should") }
        let got = try input.withUnsafeMutableBytes {
          try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
        }
        left -= count
        guard got == count else { throw damaged("is cut short") }
        var used = 0
        while used < count && status == APUS_INFLATE_MORE {
          var (consumed, produced) = (0, 0)
          status = input.withUnsafeBufferPointer {
            apus_inflate_step(
              decoder, $0.baseAddress! + used, count - used, &consumed, out.baseAddress! + initialized,
              room - initialized, &produced)
          }
          used += consumed
          initialized += produced
          if consumed == 0 && produced == 0 && status == APUS_INFLATE_MORE {
            throw damaged("does not end where it should")
          }
        }
      }
      guard status == APUS_INFLATE_END else { throw damaged("has damaged compressed data") }
      guard initialized <= member.byteCount else { throw damaged("does not end where it should") }
    }
  }

  private static func bytes(of file: File, at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let room = UnsafeMutableRawBufferPointer(buffer)
      initialized = try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
    }
  }

  private static func damaged(_ path: String, _ reason: String) -> DataError {
    DataError(.malformed, at: path, reason, advice: "get the archive anew")
  }
}
