import ApusCore
import Foundation
import Testing

@testable import ApusData

@Suite struct ZipReaderTests {
  let folder = TemporaryFolder()
  private let content = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }

  private func content(_ name: String, of archive: [UInt8], most: Int = 1 << 20) throws -> [UInt8] {
    try folder.write(archive, to: "a.zip")
    return try ZipReader(path: folder.path("a.zip")).content(of: name, maximumByteCount: most)
  }

  @Test func storedAndDeflatedMembersAreRead() throws {
    let archive = zipArchive(
      [
        ZipMember("a/b.npy", content), ZipMember("c", [1, 2, 3], isDeflated: true),
        ZipMember("d", content, isDeflated: true),
      ],
      comment: Array("PK\u{5}\u{6} a comment".utf8))
    #expect(try content("a/b.npy", of: archive) == content)
    #expect(try content("c", of: archive) == [1, 2, 3])
    #expect(try content("d", of: archive) == content)
    let zeros = [UInt8](repeating: 0, count: 258 * 2000 + 1)
    var packed = ZipMember("zeros", zeros, isDeflated: true)
    packed.stored = deflateZeros([], zeros: 258 * 2000)
    #expect(try content("zeros", of: zipArchive([packed])) == zeros)
  }

  private func failure(_ change: (inout ZipMember) -> Void, isDeflated: Bool = true, most: Int = 1 << 20) -> String {
    var member = ZipMember("x", content, isDeflated: isDeflated)
    change(&member)
    do {
      return "read \(try content("x", of: zipArchive([member]), most: most).count)"
    } catch {
      return "\(error)"
    }
  }

  @Test func liesAreRefused() throws {
    #expect(failure { $0.crc = 7 }.contains("another checksum"))
    #expect(failure({ $0.crc = 7 }, isDeflated: false).contains("another checksum"))
    #expect(failure { $0.flags = 1 }.contains("is encrypted"))
    #expect(failure { $0.method = 12 }.contains("method 12"))
    #expect(failure({ _ in }, most: 69_999).contains("claims 70000 bytes"))
    #expect(failure { $0.claimedByteCount = 69_999 }.contains("does not end where it should"))
    #expect(failure { $0.claimedByteCount = 70_001 }.contains("ends after 70000 bytes"))
    #expect(failure({ $0.claimedByteCount = 69_999 }, isDeflated: false).contains("cannot be right"))
    #expect(
      failure { $0.stored = Array(deflateStored($0.content).dropLast(9)) }.contains("does not end where it should"))
    #expect(failure { $0.stored = [7, 7, 7] }.contains("damaged compressed data"))
    #expect(failure { $0.claimedStoredByteCount = 1 << 30 }.contains("beyond the archive's end"))
    // A gigabyte of zeros is refused by what it claims, and one that claims less by what it is.
    let bomb = deflateZeros([], zeros: 100 << 20)
    #expect(
      failure(
        {
          $0.stored = bomb
          $0.claimedByteCount = 100 << 20
        }, most: .max
      ).contains("cannot be right"))
    #expect(failure { $0.stored = bomb }.contains("does not end where it should"))
  }

  /// Nothing is written anywhere, and only the very name is read.
  @Test func namesThatLeaveTheArchiveHaveNoEffect() throws {
    let archive = zipArchive([ZipMember("../x", [1]), ZipMember("/x", [2]), ZipMember("x/", [3]), ZipMember("y", [4])])
    #expect(throws: DataError.self) { try content("x", of: archive) }
    #expect(throws: DataError.self) { try content("y", of: zipArchive([ZipMember("y", [1]), ZipMember("y", [2])])) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["a.zip"])
  }

  @Test func damagedArchivesAreRefused() throws {
    let archive = zipArchive([ZipMember("x", content)])
    let all: [[UInt8]] = [
      [], [1, 2, 3], Array("<!DOCTYPE html>".utf8), Array(archive.dropLast(30)), Array(archive.suffix(40)),
    ]
    for damaged in all {
      #expect(throws: DataError.self) { try content("x", of: damaged) }
    }
    // Any byte of the directory and the end changed: an error or the content, never more.
    for position in (archive.count - 69)..<archive.count {
      for value: UInt8 in [0, 0x7F, 0xFF] {
        var changed = archive
        changed[position] = value
        if let read = try? content("x", of: changed) { #expect(read == content) }
      }
    }
  }
}

@Suite struct NPYTests {
  @Test func wholeNumbersAreRead() throws {
    let pixels = try NPY(npy("|u1", [2, 2, 3], Array(0..<12)), name: "x")
    #expect(try pixels.shape == [2, 2, 3] && pixels.pixels() == Array(0..<12))
    func integers(_ type: String, _ bytes: [UInt8], _ count: Int) throws -> [Int32] {
      try NPY(npy(type, [count], bytes), name: "x").integers()
    }
    #expect(try integers("|u1", [3, 255], 2) == [3, 255])
    #expect(try integers("|i1", [3, 255], 2) == [3, -1])
    #expect(try integers("<i8", littleEndian(7, 8) + littleEndian(-2, 8), 2) == [7, -2])
    #expect(try integers(">i2", [1, 2], 1) == [258])
    #expect(throws: DataError.self) { try integers("<i8", littleEndian(1 << 40, 8), 1) }
    #expect(throws: DataError.self) { try integers("<u8", littleEndian(-1, 8), 1) }
  }

  @Test func anythingElseIsRefused() {
    func failure(_ bytes: [UInt8]) -> String {
      do { return "read \(try NPY(bytes, name: "x").pixels())" } catch { return "\(error)" }
    }
    #expect(failure(Array("NUMPY".utf8)).contains("not a numpy array"))
    #expect(failure(npy("|O", [1], [1])).contains("'|O', no whole numbers"))
    #expect(failure(npy("<f4", [1], [1, 2, 3, 4])).contains("no whole numbers"))
    #expect(failure(npy("<i4", [1], [1, 2, 3, 4])).contains("numbers of 32 bits"))
    #expect(failure(npy("|u1", [2, 2], [1, 2, 3, 4], order: "True")).contains("column-major"))
    #expect(failure(npy("|u1", [2, 2], [1, 2, 3])).contains("not 2x2 elements"))
    #expect(failure(npy("|u1", [1 << 40, 1 << 40], [1])).contains("elements"))
    #expect(failure(npy("|u1", [-1, -1], [1])).contains("elements"))
    #expect(failure(Array(npy("|u1", [2], [1, 2]).prefix(20))).contains("cut short"))
  }
}

@Suite struct PickleTests {
  /// Of Python 3 with numpy 2, protocols 3 and 4.
  @Test(arguments: [
    "gAN9cQAoQwZsYWJlbHNxAV1xAihLBk0sAUpwEQEAZUMEZGF0YXEDY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEEY251bXB5"
      + "Cm5kYXJyYXkKcQVLAIVxBkMBYnEHh3EIUnEJKEsBSwNLDIZxCmNudW1weQpkdHlwZQpxC1gCAAAAdTFxDImIh3ENUnEOKEsDWAEAAAB8cQ9O"
      + "Tk5K/////0r/////SwB0cRBiiUMkAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjcRF0cRJiQwlmaWxlbmFtZXNxE11xFChD"
      + "BWEucG5ncRVDBWIucG5ncRZDBWMucG5ncRdlQwRub3RlcRhOdS4=",
    "gASVAQEAAAAAAAB9lChDBmxhYmVsc5RdlChLBk0sAUpwEQEAZUMEZGF0YZSMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SU"
      + "k5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsDSwyGlGgHjAVkdHlwZZSTlIwCdTGUiYiHlFKUKEsDjAF8lE5OTkr/////"
      + "Sv////9LAHSUYolDJAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiI5R0lGJDCWZpbGVuYW1lc5RdlChDBWEucG5nlEMFYi5w"
      + "bmeUQwVjLnBuZ5RlQwRub3RllE51Lg==",
  ])
  func numpysArraysAreRead(text: String) throws {
    let bytes = [UInt8](try #require(Data(base64Encoded: text)))
    let pickle = try Pickle(bytes, name: "x")
    #expect(try pickle.integers("labels") == [6, 300, 70_000])
    #expect(try pickle.integers("fine_labels") == nil)
    let data = try pickle.array("data")
    #expect(data.shape == [3, 12] && Array(data.bytes) == Array(0..<36))
    #expect(throws: DataError.self) { try pickle.integers("filenames") }
    #expect(throws: DataError.self) { try pickle.array("labels") }
    // Cut anywhere, or with any byte changed, it is an error or data, and ends.
    for count in 0..<bytes.count {
      #expect(throws: DataError.self) { try Pickle(Array(bytes.prefix(count)), name: "x") }
    }
    for position in bytes.indices {
      for value: UInt8 in [0, 0x28, 0x52, 0x62, 0x85, 0x94, 0xFF] {
        var changed = bytes
        changed[position] = value
        _ = try? Pickle(changed, name: "x")
      }
    }
  }

  private func failure(_ text: String, _ more: [UInt8] = []) -> String {
    do {
      _ = try Pickle(Array(text.utf8) + more, name: "x")
      return "read"
    } catch {
      return "\(error)"
    }
  }

  @Test func nothingIsCalled() {
    #expect(failure("cos\nsystem\n(U\u{2}lstR.").contains("asks for os.system"))
    #expect(failure("cbuiltins\neval\n").contains("asks for builtins.eval"))
    #expect(failure("cnumpy\nfrombuffer\n").contains("asks for numpy.frombuffer"))
    #expect(failure("c_codecs\nencode\n").contains("asks for _codecs.encode"))
    // By names that were put on the stack (STACK_GLOBAL).
    #expect(failure("U\u{2}osU\u{6}system", [0x93]).contains("asks for os.system"))
    #expect(failure("cnumpy\ndtype\ncnumpy\nndarray\n", [0x85] + Array("R.".utf8)).contains("without a name"))
    #expect(failure("U\u{2}os)R.").contains("calls something"))
    #expect(failure("(U\u{2}osU\u{2}lso").contains("opcode 0x6f"))  // OBJ
    #expect(failure("(ios\nsystem\n").contains("opcode 0x69"))  // INST
    #expect(failure("Pname\n").contains("opcode 0x50"))  // PERSID
    #expect(failure("", [0x82, 1]).contains("opcode 0x82"))  // EXT1
    #expect(failure(")", [0x81]).contains("opcode 0x81"))  // NEWOBJ
    #expect(failure("}}b").contains("fills something"))
    #expect(failure("", [0x80, 5]).contains("protocol 5"))
  }

  @Test func floodsEnd() {
    #expect(failure(String(repeating: "]", count: 1000) + String(repeating: "a", count: 999)).contains("lists of more"))
    #expect(failure(")", [UInt8](repeating: 0x85, count: 1000)).contains("tuples of more"))
    #expect(failure("(" + String(repeating: "N", count: 17) + "t").contains("tuples of more"))
    #expect(failure(String(repeating: "N", count: 2 << 20)).contains("more than 1048576 opcodes"))
    #expect(failure("}U\u{1}a}s.").contains("dictionary in a dictionary"))
    #expect(failure("T", littleEndian(-1, 4)).contains("ends too early"))
    #expect(failure("c" + String(repeating: "a", count: 300)).contains("name without an end"))
    #expect(failure("]h\u{7}").contains("has not named"))
    #expect(failure("a").contains("empty stack"))
    #expect(failure("N(0").contains("opcode 0x30"))
    #expect(failure("N.").contains("is no dictionary"))
    #expect(failure("(.").contains("is no dictionary"))
  }
}
