import Foundation
import Testing

@testable import ApusCore

/// Limits of memory and processors as Linux's two versions of control groups state them.
struct ControlGroupTests {
  /// The limit that files of `contents` by path state to a process whose groups are `process`.
  private func limit(
    _ process: String, _ contents: [String: String], of resource: KeyPath<ControlGroup, Int?> = \.memoryLimit
  ) throws -> Int? {
    let root = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in contents.merging(["process": process], uniquingKeysWith: { $1 }) {
      let url = root.appending(path: path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return ControlGroup(process: root.path + "/process", root: root.path)[keyPath: resource]
  }

  private func processors(_ process: String, _ contents: [String: String]) throws -> Int? {
    try limit(process, contents, of: \.processorLimit)
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

  @Test func processorsOfVersion2() throws {
    let inside = "0::/job/step\n"
    // One and a half are two, the second in part.
    #expect(try processors(inside, ["job/step/cpu.max": "150000 100000\n"]) == 2)
    #expect(try processors(inside, ["job/step/cpu.max": "max 100000\n", "job/cpu.max": "300000 100000\n"]) == 3)
    #expect(try processors(inside, ["job/step/cpu.max": "400000 100000\n", "job/cpu.max": "100001 100000\n"]) == 2)
    #expect(try processors("0::/\n", ["cpu.max": "1000 100000\n"]) == 1)
    #expect(try processors("0::/\n", ["cpu.max": "max 100000\n"]) == nil)
    #expect(try processors("0::/\n", ["cpu.max": "\(Int.max) 1\n"]) == .max)
    // Not whole, and no period to divide by.
    for text in ["", "100000", "100000 0", "100000 -5", "x y", "100000 100000 1"] {
      #expect(try processors("0::/\n", ["cpu.max": text + "\n"]) == nil, "\(text)")
    }
  }

  @Test func processorsOfVersion1() throws {
    let inside = "11:cpu,cpuacct:/docker/abc\n7:cpuset:/other\n4:memory:/docker/abc\n0::/\n"
    func files(_ quota: String, _ period: String) -> [String: String] {
      ["cpu/docker/abc/cpu.cfs_quota_us": quota + "\n", "cpu/docker/abc/cpu.cfs_period_us": period + "\n"]
    }
    #expect(try processors(inside, files("150000", "100000")) == 2)
    #expect(try processors(inside, files("50000", "100000")) == 1)
    #expect(try processors(inside, files("-1", "100000")) == nil)
    #expect(try processors(inside, files("150000", "0")) == nil)
    #expect(try processors(inside, ["cpu/docker/abc/cpu.cfs_quota_us": "150000\n"]) == nil)
    // The container's group is the root that it sees.
    #expect(
      try processors(inside, ["cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"]) == 3)
    // A limit of another controller is none of processors.
    #expect(try processors("7:cpuset:/\n", ["cpu/cpu.cfs_quota_us": "1\n", "cpu/cpu.cfs_period_us": "1\n"]) == nil)
  }

  @Test func nothingThere() throws {
    #expect(try limit("", [:]) == nil)
    #expect(try limit("nonsense\n0::\n", ["memory.max": "-1\n"]) == nil)
    #expect(ControlGroup(process: "/nonexistent").memoryLimit == nil)
    #expect(ControlGroup(process: "/nonexistent").processorLimit == nil)
  }
}
