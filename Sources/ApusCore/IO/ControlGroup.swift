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
    least("memory") { group, version in
      number(lines(of: group + (version == 2 ? "/memory.max" : "/memory.limit_in_bytes")).first)
    }
  }

  /// Processors whose time all processes of the group may use together, the last one in part where the limit is no
  /// whole number of them; `nil` where there is no limit.
  package var processorLimit: Int? {
    least("cpu") { group, version in
      // Microseconds of processor time in a period of so many: on one line in version 2, in two files in version 1.
      let texts =
        version == 2
        ? lines(of: group + "/cpu.max").first?.split(separator: " ").map(String.init) ?? []
        : ["/cpu.cfs_quota_us", "/cpu.cfs_period_us"].compactMap { lines(of: group + $0).first }
      guard texts.count == 2, let quota = number(texts[0]), let period = number(texts[1]) else { return nil }
      return quota / period + (quota % period == 0 ? 0 : 1)
    }
  }

  /// The least limit on what `controller` deals out, as `limit` reads it from a folder of the group and of those around
  /// it. Inside a container the outer part of the path is not there.
  private func least(_ controller: String, limit: (_ group: String, _ version: Int) -> Int?) -> Int? {
    // Version 2 has one hierarchy, version 1 one for each controller.
    lines(of: process).compactMap { line -> Int? in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      let version = fields[1].isEmpty ? 2 : 1
      guard version == 2 || fields[1].split(separator: ",").contains(Substring(controller)) else { return nil }
      let hierarchy = version == 2 ? root : root + "/" + controller
      var names = fields[2].split(separator: "/")
      var limits: [Int] = []
      while true {
        let group = ([hierarchy] + names.map(String.init)).joined(separator: "/")
        if let limit = limit(group, version) { limits.append(limit) }
        if names.popLast() == nil { return limits.min() }
      }
    }.min()
  }

  /// A limit as it is written; `max` and -1 are none.
  private func number(_ text: String?) -> Int? { text.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
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
