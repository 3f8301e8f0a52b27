import Foundation

/// How long the process has been there.
enum ProcessClock {
  /// Seconds since the system started the process, to a hundredth; `nil` where the system does not say (it does on
  /// Linux, in `/proc/self/stat`).
  static var secondsSinceStart: Double? {
    #if os(Linux)
      guard
        let line = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
        // The program's name, in parentheses, may hold blanks; the 22nd field is the 20th after it.
        let end = line.lastIndex(of: ")"),
        let ticks = line[end...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) })
      else { return nil }
      var now = timespec()
      guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
      let started = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
      return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9 - started
    #else
      return nil
    #endif
  }
}
