import Foundation
import Testing

@testable import ApusCore

@Suite struct AtomicFileTests {
  /// A folder that is removed at the end.
  private final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
    func make(_ name: String) throws { try Data("half".utf8).write(to: URL(filePath: path + "/" + name)) }
  }

  /// The files of writers that were killed go with the next save in their folder, whatever that saves.
  @Test func abandonedFilesAreRemoved() throws {
    let folder = try Folder()
    let abandoned = [".model.safetensors.4194302.3w5e11264sgsf.tmp", ".a.b.c.1.0.tmp", ".history.json.77.zz.tmp"]
    let others = [
      "model.safetensors.12.abc.tmp", ".notes.tmp", ".draft.12.tmp", ".x.12.abc.tmp~", ".x.twelve.abc.tmp",
      ".x.12.a_c.tmp", "kept",
    ]
    for name in abandoned + others { try folder.make(name) }
    try AtomicFile.write([1, 2, 3], to: folder.path + "/new")
    #expect(try folder.names == (others + ["new"]).sorted())
  }

  /// A save inside a save, as by two threads or processes: neither takes the other's file for abandoned.
  @Test func filesOfLivingWritersStay() throws {
    let folder = try Folder()
    try AtomicFile.write(to: folder.path + "/outer") { file in
      try file.write([1])
      try AtomicFile.write([2], to: folder.path + "/inner")
      #expect(try folder.names.count == 2)
    }
    #expect(try folder.names == ["inner", "outer"])
    #expect(try Data(contentsOf: URL(filePath: folder.path + "/outer")) == Data([1]))
  }

  @Test func anErrorLeavesTheOldFile() throws {
    struct Stop: Error {}
    let folder = try Folder()
    try AtomicFile.write([1], to: folder.path + "/file")
    #expect(throws: Stop.self) {
      try AtomicFile.write(to: folder.path + "/file") { file in
        try file.write([2])
        throw Stop()
      }
    }
    #expect(try folder.names == ["file"])
    #expect(try Data(contentsOf: URL(filePath: folder.path + "/file")) == Data([1]))
  }
}
