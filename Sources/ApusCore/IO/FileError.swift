#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An operating-system call on a file or folder failed.
///
/// It says what was tried, on which path, and the system's reason:
/// `/data/run/model.safetensors: cannot write: No space left on device (errno 28)`.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb: `open`, `read`, `write`, `rename`, ...
  public let operation: String
  public let path: String
  /// The `errno` of the call.
  public let code: Int32

  package init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// Whether the path does not exist.
  public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }

  public var description: String {
    "\(path): cannot \(operation): \(String(cString: strerror(code))) (errno \(code))"
  }
}
