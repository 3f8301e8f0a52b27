#if OpenCL
  import ApusCore
  import Foundation
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    /// Whatever the cache's folder holds, the results are right, and a bad entry is replaced.
    @Suite struct ProgramCacheTests {
      /// Computes something with one kernel, which a new backend has to build or to load.
      private func compute(cacheFolder: String?) throws {
        let session = BackendSession(try openBackend(cacheFolder: cacheFolder))
        let graph = Graph()
        let x = graph.input("x", shape: [5])
        let executable = try session.compile(graph, outputs: [relu(x) * 3 + 1])
        let result = try executable([NDArray([-1, 0, 0.5, 2, 4] as [Float], shape: [5])])[0]
        #expect(result.values(as: Float.self) == [1, 1, 2.5, 7, 13])
      }

      /// The only entry in the folder, after one computation.
      private func makeEntry(in folder: TemporaryFolder) throws -> URL {
        try compute(cacheFolder: folder.path)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.count == 1)
        return URL(filePath: folder.path).appending(path: try #require(files.first))
      }

      @Test func entriesAreWrittenOnceAndUsed() throws {
        let folder = try TemporaryFolder()
        let entry = try makeEntry(in: folder)
        let written = try FileManager.default.attributesOfItem(atPath: entry.path)[.systemFileNumber] as? Int
        try compute(cacheFolder: folder.path)
        let after = try FileManager.default.attributesOfItem(atPath: entry.path)[.systemFileNumber] as? Int
        #expect(after == written)
      }

      /// What the disk held is no news at its first launch: no line tells of it.
      @Test func onlyWhatWasCompiledIsUntried() throws {
        let folder = try TemporaryFolder()
        for isCompiled in [true, false] {
          let session = BackendSession(try openBackend(cacheFolder: folder.path))
          let graph = Graph()
          let x = graph.input("x", shape: [5])
          let executable = try session.compile(graph, outputs: [relu(x) * 3 + 1])
          #expect(session.backend.programs.untriedCount == (isCompiled ? 1 : 0))
          try executable.run()
          #expect(session.backend.programs.untriedCount == 0)
        }
      }

      enum Damage: String, CaseIterable {
        case flippedByte, flippedByteOfTheKey, halfOfIt, emptyFile, tooMuch, otherFile, binaryOfNoDriver
      }

      @Test(arguments: Damage.allCases) func damagedEntriesAreReplaced(_ damage: Damage) throws {
        let folder = try TemporaryFolder()
        let entry = try makeEntry(in: folder)
        let whole = [UInt8](try Data(contentsOf: entry))
        var bytes = whole
        switch damage {
        case .flippedByte: bytes[bytes.count - 100] ^= 0x10
        case .flippedByteOfTheKey: bytes[40] ^= 1
        case .halfOfIt: bytes.removeLast(bytes.count / 2)
        case .emptyFile: bytes = []
        case .tooMuch: bytes += [0, 1, 2]
        case .otherFile: bytes = Array("#!/bin/sh\necho not a kernel\n".utf8)
        case .binaryOfNoDriver: bytes = Self.replacingBinary(of: bytes, by: [UInt8](repeating: 7, count: 1000))
        }
        try Data(bytes).write(to: entry)
        try compute(cacheFolder: folder.path)
        let after = [UInt8](try Data(contentsOf: entry))
        let (isReplaced, hasHeader) = (after != bytes, after.starts(with: whole.prefix(14)))
        #expect(isReplaced && hasHeader)
        try compute(cacheFolder: folder.path)
      }

      /// An entry that is whole in itself: its lengths and its checksum are right.
      private static func replacingBinary(of entry: [UInt8], by binary: [UInt8]) -> [UInt8] {
        func littleEndian(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        let keyLength = entry[14..<22].reversed().reduce(0) { $0 << 8 | Int($1) }
        let result = entry[..<(22 + keyLength)] + littleEndian(UInt64(binary.count)) + binary
        return result + littleEndian(Checksum(result).value)
      }

      @Test func aFolderThatCannotBeMadeIsDoneWithout() throws {
        let folder = try TemporaryFolder()
        let file = URL(filePath: folder.path).appending(path: "note")
        try Data("a note".utf8).write(to: file)
        try compute(cacheFolder: file.path)
        try compute(cacheFolder: file.path + "/kernels")
        #expect(try Data(contentsOf: file) == Data("a note".utf8))
      }

      @Test func aReadOnlyFolderIsDoneWithout() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        try compute(cacheFolder: folder.path)
        try compute(cacheFolder: folder.path)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path)
      }

      @Test func aMissingFolderIsMade() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/a/b"
        try compute(cacheFolder: missing)
        #expect(try FileManager.default.contentsOfDirectory(atPath: missing).count == 1)
      }

      @Test func withoutAFolderNothingIsKept() throws {
        try compute(cacheFolder: nil)
      }

      @Test func theFolderIsChosenByTheEnvironment() {
        func folder(_ variables: [String: String]) -> String? { kernelCacheFolder { variables[$0] } }
        let home = ["HOME": "/home/me"]
        #expect(folder([:]) == nil)
        #expect(folder(home) == "/home/me/.cache/apus/kernels")
        #expect(folder(home.merging(["XDG_CACHE_HOME": "/cache"]) { $1 }) == "/cache/apus/kernels")
        #expect(folder(home.merging(["XDG_CACHE_HOME": "relative"]) { $1 }) == "/home/me/.cache/apus/kernels")
        #expect(folder(home.merging(["APUS_KERNEL_CACHE": "/kernels"]) { $1 }) == "/kernels")
        #expect(folder(home.merging(["APUS_KERNEL_CACHE": "off"]) { $1 }) == nil)
      }
    }
  }
#endif
