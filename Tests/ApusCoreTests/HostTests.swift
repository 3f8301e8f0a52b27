import ApusCore
import Foundation
import Testing

@Suite struct HostMemoryTests {
  @Test func whatTheMachineLacksIsAnError() throws {
    try HostMemory.require(0, for: "nothing")
    try HostMemory.require(1 << 24, for: "16 MiB")
    try HostMemory.require([1 << 10, 1 << 10], .float32, for: "4 MiB")
    #expect(HostMemory.total > 1 << 28)
    let error = #expect(throws: HostMemoryError.self) { try HostMemory.require(.max, for: "a tower") }
    #expect(error?.description.contains("are needed for a tower, the machine has") == true)
    #expect(throws: HostMemoryError.self) { try HostMemory.require([1 << 62, 4], .float32, for: "an overflow") }
    #expect(throws: HostMemoryError.self) { try HostMemory.require([1 << 61], .float64, for: "an overflow") }
    #expect(throws: HostMemoryError.self) { try HostMemory.require([1 << 46], .uint8, for: "64 TiB") }
  }
}

@Suite struct FileNameTests {
  private func systemBytes(_ name: String) -> [UInt8] { FilePath.system(name).dropLast().map { UInt8(bitPattern: $0) } }

  static let names: [[UInt8]] = [
    Array("plain".utf8), Array("schön/🐦".utf8), [0x61, 0xFF, 0x62], [0x80], [0xC3], [0xC3, 0x41], [0xF0, 0x9F, 0x90],
    [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xFE, 0xFF, 0xFE],
    // A valid name of the very scalars that stand for bytes.
    Array("\u{10FEFF}x".utf8), Array("e\u{301}".utf8), Array("\u{301}".utf8), (1...255).filter { $0 != 0x2F },
  ]

  @Test(arguments: names) func everyNameComesBackAsItWas(bytes: [UInt8]) {
    #expect(systemBytes(FilePath.string(system: bytes)) == bytes)
  }

  @Test func namesThatDifferStayDifferent() {
    #expect(FilePath.string(system: [0x61, 0xFF]) != FilePath.string(system: [0x61, 0xFE]))
    #expect(FilePath.string(system: Array("\u{10FEFF}".utf8)) != FilePath.string(system: [0xFF]))
  }

  @Test(arguments: names.filter { $0.count < 100 && !$0.contains(0x2F) })
  func filesOfAnyNameAreWrittenAndRead(bytes: [UInt8]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = FilePath.join(folder, FilePath.string(system: bytes))
    try FilePath.createFolder(path)
    try AtomicFile.write([1, 2, 3], to: FilePath.join(path, "x"))
    #expect(try File.contents(of: FilePath.join(path, "x"), maximumByteCount: 10) == [1, 2, 3])
    #expect(FilePath.isFolder(path) && FilePath.isFile(FilePath.join(path, "x")))
    #expect(try FilePath.entries(of: folder).map(systemBytes) == [bytes])
    #expect(FilePath.split(path).folder == folder)
    try FilePath.remove(FilePath.join(path, "x"))
    FilePath.removeIfEmpty(path)
    #expect(try FilePath.entries(of: folder).isEmpty)
  }

  @Test func printedNamesAreOneLineOfText() {
    #expect(
      FilePath.printable(FilePath.string(system: [0x61, 0xFF, 0x1B, 0x5B, 0x0A, 0x7F])) == "a\\xFF\\x1B[\\x0A\\x7F")
    #expect(FilePath.printable("schön 🐦") == "schön 🐦")
    #expect(FilePath.printable("two\nlines\r", keepsLines: true) == "two\nlines\\x0D")
  }
}
