import Foundation
import Testing

@testable import ApusCore

/// Limits of memory as Linux's two versions of control groups state them.
struct ControlGroupTests {
  /// The limit that files of `contents` by path state to a process whose groups are `process`.
  private func limit(_ process: String, _ contents: [String: String]) throws -> Int? {
    let root = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in contents.merging(["process": process], uniquingKeysWith: { $1 }) {
      let url = root.appending(path: path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return ControlGroup(process: root.path + "/process", root: root.path).memoryLimit
  }

  @Test func version2() throws {
    let inside = "0::/job/step\n"
    #expect(try limit(inside, ["job/step/memory.max": "4096\n", "job/memory.max": "8192\n"]) == 4096)
    #expect(try limit(inside, ["job/step/memory.max": "max\n", "job/memory.max": "8192\n"]) == 8192)
    #expect(try limit(inside, ["job/step/memory.max": "max\n"]) == nil)
    // A container that sees its own group as the root.
    #expect(try limit("0::/\n", ["memory.max": "1024\n"]) == 1024)
    #expect(try limit("0::/../elsewhere\n", ["memory.max": "1024\n"]) == 1024)
  }

  @Test func version1() throws {
    let inside = "11:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"
    #expect(try limit(inside, ["memory/docker/abc/memory.limit_in_bytes": "777\n"]) == 777)
    #expect(try limit(inside, ["memory/memory.limit_in_bytes": "999\n"]) == 999)
  }

  @Test func nothingThere() throws {
    #expect(try limit("", [:]) == nil)
    #expect(try limit("nonsense\n0::\n", ["memory.max": "-1\n"]) == nil)
    #expect(ControlGroup(process: "/nonexistent").memoryLimit == nil)
  }
}
