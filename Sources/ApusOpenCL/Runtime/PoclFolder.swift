import ApusCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Where pocl puts what it compiles: a folder of this process alone, which goes with it.
///
/// pocl keeps compiled kernels in the user's cache and trusts what it finds there: a damaged file ends the process. What
/// is worth keeping is in `ProgramCache`, which checks it. pocl waits for the disk after each file, which costs nothing
/// where the folder is in memory. A user's own choice in `POCL_CACHE_DIR` is left alone.
enum PoclFolder {
  private static let variable = "POCL_CACHE_DIR"
  private static let prefix = "apus-pocl-"
  /// Compiled kernels of a large network take a few megabytes, what the compiler writes on the way some more.
  private static let room: UInt = 32 << 20
  /// What one kernel may take.
  private static let leastRoom: UInt = 2 << 20

  private static let own: (path: String, process: pid_t)? = make()

  /// To be called before the OpenCL library is loaded.
  static func prepare() {
    guard Environment[variable] == nil, let own else { return }
    setenv(variable, own.path, 0)
    atexit {
      // Not in a child of this process, which ends earlier.
      guard let own = PoclFolder.own, own.process == getpid() else { return }
      try? FileManager.default.removeItem(atPath: own.path)
    }
  }

  /// Why pocl cannot write to its folder, if it cannot. It would offer no device then, or end the process while it
  /// compiles.
  static var problem: String? {
    let cache = Environment["XDG_CACHE_HOME"] ?? FilePath.join(Environment["HOME"] ?? "/tmp", ".cache")
    let folder = Environment[variable] ?? FilePath.join(cache, "pocl/kcache")
    let advice = "make room there, or name another folder in \(variable)"
    do {
      try FilePath.createFolder(folder)
      if access(folder, W_OK | X_OK) != 0 { throw FileError("write to", folder) }
      if freeBytes(folder) < leastRoom { throw FileError("write to", folder, code: ENOSPC) }
      return nil
    } catch {
      return "pocl needs a folder for what it compiles, and \(error); \(advice)"
    }
  }

  // MARK: The folder

  /// In memory if that can be had, else with the temporary files; `nil` where none can be made.
  private static func make() -> (path: String, process: pid_t)? {
    for parent in ["/dev/shm", Environment["TMPDIR"], "/tmp"].compactMap({ $0 }) where freeBytes(parent) >= room {
      removeAbandoned(in: parent)
      if let path = make(in: parent) { return (path, getpid()) }
    }
    return nil
  }

  /// A new folder that stays locked as long as the process lives, so that others see that it is in use.
  private static func make(in parent: String) -> String? {
    var name = Array(FilePath.join(parent, prefix + "XXXXXX").utf8CString)
    guard mkdtemp(&name) != nil else { return nil }
    let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // The descriptor is never closed: the lock goes with the process.
    if descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0, canRunFiles(path) { return path }
    rmdir(path)
    return nil
  }

  private static func freeBytes(_ folder: String) -> UInt {
    var status = statvfs()
    return statvfs(folder, &status) == 0 ? UInt(status.f_bavail) * UInt(status.f_frsize) : 0
  }

  /// Whether code can be loaded from files there: some containers forbid it for file systems in memory.
  private static func canRunFiles(_ folder: String) -> Bool {
    let path = FilePath.join(folder, "probe")
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o700)
    guard descriptor >= 0 else { return false }
    defer {
      close(descriptor)
      unlink(path)
    }
    guard write(descriptor, prefix, prefix.utf8.count) == prefix.utf8.count else { return false }
    guard let mapped = mmap(nil, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
      return false
    }
    munmap(mapped, 1)
    return true
  }

  /// Removes this user's folders of processes that were killed.
  private static func removeAbandoned(in parent: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
      let path = FilePath.join(parent, name)
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_uid == geteuid() else { continue }
      // A folder that was made this moment may not be locked yet.
      guard time(nil) - status.st_ctim.tv_sec > 10, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      try? FileManager.default.removeItem(atPath: path)
    }
  }
}
