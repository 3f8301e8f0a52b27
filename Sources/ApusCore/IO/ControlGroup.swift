#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The groups of processes in which Linux limits what this one may use: those of a container, of a service, of a job.
package struct ControlGroup {
  /// Lists the groups of the process, a line for each hierarchy.
  private let process: String
  /// Where the hierarchies are.
  private let root: String

  package init(process: String = "/proc/self/cgroup", root: String = "/sys/fs/cgroup") {
    self.process = process
    self.root = root
  }

  /// Bytes of memory that all processes of the group may have together; `nil` where there is no limit.
  package var memoryLimit: Int? {
    // Version 2 has one hierarchy, version 1 one for memory.
    lines(of: process).compactMap { line -> Int? in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      if fields[1].isEmpty { return least("memory.max", in: root, group: fields[2]) }
      if fields[1].split(separator: ",").contains("memory") {
        return least("memory.limit_in_bytes", in: root + "/memory", group: fields[2])
      }
      return nil
    }.min()
  }

  /// The least number that `file` holds in the group and those around it. Inside a container the outer part of the path
  /// is not there.
  private func least(_ file: String, in hierarchy: String, group: Substring) -> Int? {
    var names = group.split(separator: "/")
    var limits: [Int] = []
    while true {
      let path = ([hierarchy] + names.map(String.init) + [file]).joined(separator: "/")
      if let limit = lines(of: path).first.flatMap({ Int($0) }), limit > 0 { limits.append(limit) }
      if names.popLast() == nil { return limits.min() }
    }
  }
}

/// The lines of a file that the system makes; none where there is no such file.
package func lines(of path: String) -> [String] {
  guard let file = fopen(path, "r") else { return [] }
  defer { fclose(file) }
  var lines: [String] = []
  var line = [CChar](repeating: 0, count: 4096)
  while fgets(&line, Int32(line.count), file) != nil {
    lines.append(String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
  return lines
}
