#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An open file, closed when the last reference goes.
///
/// Thin over the POSIX calls: interrupted and partial calls are repeated, and every failure is a `FileError`
/// (Foundation's `FileHandle.write` stops the process on a full disk on Linux).
package final class File {
  package let path: String
  private var descriptor: Int32

  private init(path: String, flags: Int32, permissions: mode_t = 0) throws(FileError) {
    self.path = path
    repeat {
      descriptor = open(FilePath.system(path), flags | O_CLOEXEC, permissions)
    } while descriptor < 0 && errno == EINTR
    if descriptor < 0 { throw FileError("open", path) }
  }

  /// Opens an existing regular file for reading.
  package convenience init(reading path: String) throws(FileError) {
    // Without O_NONBLOCK the open of a named pipe would wait for a writer.
    try self.init(path: path, flags: O_RDONLY | O_NONBLOCK)
    let mode = try status().st_mode & S_IFMT
    if mode == S_IFDIR { throw FileError("read", path, code: EISDIR) }
    if mode != S_IFREG { throw FileError("read", path, code: EINVAL) }
  }

  /// Makes a new file for writing; fails when the path exists.
  package convenience init(creating path: String) throws(FileError) {
    try self.init(path: path, flags: O_WRONLY | O_CREAT | O_EXCL, permissions: 0o666)
  }

  /// Opens or makes a file that is read and written.
  package convenience init(updating path: String) throws(FileError) {
    try self.init(path: path, flags: O_RDWR | O_CREAT, permissions: 0o666)
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  private func status() throws(FileError) -> stat {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw FileError("examine", path) }
    return status
  }

  package var byteCount: Int {
    get throws(FileError) { Int(try status().st_size) }
  }

  /// Whether `path` still names this file (it may have been renamed or removed by another process).
  package var isStillAtPath: Bool {
    var named = stat()
    guard let opened = try? status(), stat(FilePath.system(path), &named) == 0 else { return false }
    return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  /// Reads at the file's position until `buffer` is full or the file ends; returns the number of bytes read.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    try filling(buffer) { place, _, count in systemRead(descriptor, place, count) }
  }

  /// Reads from `offset` on until `buffer` is full or the file ends; returns the number of bytes read. Any thread may.
  @discardableResult
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    try filling(buffer) { place, done, count in pread(descriptor, place, count, off_t(offset + done)) }
  }

  /// Repeats `call`, which gets a place in `buffer`, the bytes before it and the room behind it, until it reads nothing.
  private func filling(
    _ buffer: UnsafeMutableRawBufferPointer, _ call: (UnsafeMutableRawPointer, Int, Int) -> Int
  ) throws(FileError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = call(buffer.baseAddress! + done, done, buffer.count - done)
      if count == 0 { break }
      if count > 0 {
        done += count
      } else if errno != EINTR {
        throw FileError("read", path)
      }
    }
    return done
  }

  /// The whole of a file that has at most `maximumByteCount` bytes; `nil` when it has more.
  package static func contents(of path: String, maximumByteCount: Int) throws -> [UInt8]? {
    let file = try File(reading: path)
    let count = try file.byteCount
    if count > maximumByteCount { return nil }
    try HostMemory.require(count, for: "the contents of \(path)")
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let room = UnsafeMutableRawBufferPointer(buffer)
      initialized = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
    }
  }

  /// Writes all of `bytes` at the file's position.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try emptying(bytes) { place, _, count in systemWrite(descriptor, place, count) }
  }

  /// Writes all of `bytes` from `offset` on. Any thread may.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    try emptying(bytes) { place, done, count in pwrite(descriptor, place, count, off_t(offset + done)) }
  }

  /// Repeats `call`, which gets a place in `bytes`, those before it and those left, until all are written.
  private func emptying(
    _ bytes: UnsafeRawBufferPointer, _ call: (UnsafeRawPointer, Int, Int) -> Int
  ) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = call(bytes.baseAddress! + done, done, bytes.count - done)
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw FileError("write", path)
      }
    }
  }

  package func write(_ bytes: [UInt8]) throws(FileError) {
    // `withUnsafeBytes` does not carry a typed error through.
    let result = bytes.withUnsafeBytes { pointer in Result { () throws(FileError) in try write(pointer) } }
    try result.get()
  }

  package func seek(to offset: Int) throws(FileError) {
    if lseek(descriptor, off_t(offset), SEEK_SET) < 0 { throw FileError("seek in", path) }
  }

  package func truncate(to byteCount: Int) throws(FileError) {
    if ftruncate(descriptor, off_t(byteCount)) != 0 { throw FileError("truncate", path) }
  }

  /// Waits until no other process holds the lock of this file; the lock goes with the file.
  package func lock() throws(FileError) {
    while flock(descriptor, LOCK_EX) != 0 {
      if errno != EINTR { throw FileError("lock", path) }
    }
  }

  /// Takes the lock of this file if nobody else has it, another opening of the file by this process included; whether
  /// it has it now.
  package func lockIfFree() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// Waits until the bytes are on the disk.
  package func synchronize() throws(FileError) {
    while fsync(descriptor) != 0 {
      if errno != EINTR { throw FileError("synchronize", path) }
    }
  }

  /// Closes now, so that a late write error is reported.
  package func finish() throws(FileError) {
    let closing = descriptor
    descriptor = -1
    // After EINTR the descriptor is closed all the same on Linux.
    if close(closing) != 0 && errno != EINTR { throw FileError("close", path) }
  }
}

// The methods above hide the C functions of the same names.
private func systemRead(_ descriptor: Int32, _ to: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, to, count)
}

private func systemWrite(_ descriptor: Int32, _ from: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, from, count)
}
