/// A member of a zip archive, with lies where a test wants some.
struct ZipMember {
  var name: String
  var content: [UInt8]
  var isDeflated = false
  /// What is stored, where it is not the content.
  var stored: [UInt8]?
  var claimedByteCount: Int?
  var claimedStoredByteCount: Int?
  var crc: UInt32?
  var method: Int?
  var flags = 0

  init(_ name: String, _ content: [UInt8], isDeflated: Bool = false) {
    (self.name, self.content, self.isDeflated) = (name, content, isDeflated)
  }
}

/// A zip archive (APPNOTE 6.3). As numpy writes them, sizes stand in the directory alone.
func zipArchive(_ members: [ZipMember], comment: [UInt8] = []) -> [UInt8] {
  var (archive, directory): ([UInt8], [UInt8]) = ([], [])
  for member in members {
    let name = Array(member.name.utf8)
    let stored = member.stored ?? (member.isDeflated ? deflateStored(member.content) : member.content)
    let method = member.method ?? (member.isDeflated ? 8 : 0)
    let start = joined(
      littleEndian(20, 2), littleEndian(member.flags, 2), littleEndian(method, 2), littleEndian(0, 4),
      littleEndian(Int(member.crc ?? crc32(member.content)), 4))
    directory += joined(
      [0x50, 0x4B, 1, 2], littleEndian(20, 2), start,
      littleEndian(member.claimedStoredByteCount ?? stored.count, 4),
      littleEndian(member.claimedByteCount ?? member.content.count, 4),
      littleEndian(name.count, 2), littleEndian(0, 12), littleEndian(archive.count, 4), name)
    let extra: [UInt8] = [1, 0, 4, 0, 1, 2, 3, 4]
    archive += joined(
      [0x50, 0x4B, 3, 4], start, littleEndian(-1, 8), littleEndian(name.count, 2), littleEndian(extra.count, 2), name,
      extra, stored)
  }
  return joined(
    archive, directory, [0x50, 0x4B, 5, 6], littleEndian(0, 4), littleEndian(members.count, 2),
    littleEndian(members.count, 2), littleEndian(directory.count, 4), littleEndian(archive.count, 4),
    littleEndian(comment.count, 2), comment)
}

/// An array as numpy saves it, version 1.
func npy(_ type: String, _ shape: [Int], _ bytes: [UInt8], order: String = "False") -> [UInt8] {
  let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
  let header = Array("{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(sizes)), }\n".utf8)
  return joined([0x93], Array("NUMPY".utf8), [1, 0], littleEndian(header.count, 2), header, bytes)
}

/// A batch of CIFAR as Python 2 pickled it, for protocol 2.
func cifarPickle(_ labels: [(key: String, labels: [Int])], data: [UInt8], columns: Int = 3072) -> [UInt8] {
  var memo = 0
  func named(_ opcodes: [UInt8]) -> [UInt8] {
    memo += 1
    return joined(opcodes, [UInt8(ascii: "q"), UInt8(memo)])
  }
  func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
  func text(_ text: String) -> [UInt8] { named(joined(ascii("U"), [UInt8(text.utf8.count)], ascii(text))) }
  func number(_ value: Int) -> [UInt8] {
    value < 256 ? joined(ascii("K"), [UInt8(value)]) : joined(ascii("M"), littleEndian(value, 2))
  }
  var result = joined([0x80, 2], named(ascii("}")), ascii("("), text("batch_label"), text("training batch 1 of 5"))
  for (key, labels) in labels {
    result += joined(text(key), named(ascii("]")), ascii("("), labels.flatMap(number), ascii("e"))
  }
  result += joined(
    text("data"), named(ascii("cnumpy.core.multiarray\n_reconstruct\n")), named(ascii("cnumpy\nndarray\n")),
    ascii("K\0"), named([0x85]), text("b"), named([0x87]), named(ascii("R")))
  result += joined(
    ascii("(K\u{1}"), number(data.count / columns), number(columns), named([0x86]), named(ascii("cnumpy\ndtype\n")),
    text("u1"), ascii("K\0K\u{1}"), named([0x87]), named(ascii("R")))
  result += joined(
    ascii("(K\u{3}"), text("|"), ascii("NNNJ"), littleEndian(-1, 4), ascii("J"), littleEndian(-1, 4), ascii("K\0"),
    named(ascii("t")), ascii("b"), [0x89])
  result += joined(
    named(joined(ascii("T"), littleEndian(data.count, 4), data)), named(ascii("t")), ascii("b"), text("filenames"),
    named(ascii("]")), ascii("("), text("a.png"), text("b.png"), ascii("eu."))
  return result
}
