#if canImport(Darwin)
  @preconcurrency import Darwin
#elseif canImport(Musl)
  @preconcurrency import Musl
#else
  @preconcurrency import Glibc
#endif

/// Writes to standard output at once, behind all that `print` has been given before: both go through one buffer, so that
/// a pipe or a file gets the lines in the order in which they were written. A reader that has gone away does not stop
/// training.
public func writeToStandardOutput(_ text: String) {
  let bytes = Array(text.utf8)
  flockfile(stdout)
  defer { funlockfile(stdout) }
  fwrite(bytes, 1, bytes.count, stdout)
  fflush(stdout)
}

/// Columns of the terminal that standard output is; `nil` where it is none or does not say.
public func terminalColumns() -> Int? {
  var size = winsize()
  guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
  return Int(size.ws_col)
}

var standardOutputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
