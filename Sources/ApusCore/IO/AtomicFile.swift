#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Writes whole files so that a reader, a crash or a full disk never sees half of one.
///
/// The bytes go to a temporary file beside the target, reach the disk, and the file then takes the target's name;
/// an error on the way removes the temporary file and leaves the old target as it was. What a process that was killed
/// has left behind is removed by the next writer in that folder.
package enum AtomicFile {
  package static func write(to path: String, _ body: (File) throws -> Void) throws {
    let (folder, name) = FilePath.split(path)
    removeAbandoned(in: folder)
    let (file, temporary) = try makeTemporary(in: folder, for: name)
    do {
      try body(file)
      try file.synchronize()
      // Open, and so locked, until it has its name.
      try withExtendedLifetime(file) { try rename(temporary, to: path) }
    } catch {
      unlink(FilePath.system(temporary))
      throw error
    }
  }

  package static func write(_ bytes: [UInt8], to path: String) throws {
    try write(to: path) { file in try file.write(bytes) }
  }

  /// Gives `source` the name `target`, and waits until the folder holding it is on the disk.
  package static func rename(_ source: String, to target: String) throws(FileError) {
    if systemRename(FilePath.system(source), FilePath.system(target)) != 0 {
      throw FileError("rename the finished file to", target)
    }

    let folder = FilePath.split(target).folder
    let descriptor = open(FilePath.system(folder), O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open", folder) }
    defer { close(descriptor) }
    // Some file systems cannot synchronize a folder and say EINVAL; the rename itself is done.
    if fsync(descriptor) != 0 && errno != EINVAL { throw FileError("synchronize", folder) }
  }

  /// A new hidden file, unique by process and number, so that two writers of one target do not meet; locked as long as
  /// it is open, so that others see that its writer lives, on whatever machine or in whatever container it runs.
  private static func makeTemporary(in folder: String, for name: String) throws(FileError) -> (File, path: String) {
    while true {
      let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
      let path = FilePath.join(folder, ".\(name).\(getpid()).\(suffix)\(ending)")
      let file = try File(creating: path)
      // Between the two calls somebody who tidies up may have taken it for abandoned.
      if !file.lockIfFree() || file.isStillAtPath { return (file, path) }
    }
  }

  private static let ending = ".tmp"

  /// Removes temporary files that nobody holds: their writers were killed.
  private static func removeAbandoned(in folder: String) {
    for name in (try? FilePath.entries(of: folder)) ?? [] {
      guard isTemporary(name) else { continue }
      let path = FilePath.join(folder, name)
      // A file system without locks does not tell who lives: there they stay.
      if let file = try? File(reading: path), file.lockIfFree() { unlink(FilePath.system(path)) }
    }
  }

  /// Whether `makeTemporary` gives such names: `.NAME.PROCESS.NUMBER.tmp`.
  private static func isTemporary(_ name: String) -> Bool {
    guard name.hasPrefix("."), name.hasSuffix(ending) else { return false }
    let parts = name.dropFirst().dropLast(ending.count).split(separator: ".", omittingEmptySubsequences: false)
    return parts.count >= 3 && Int32(parts[parts.count - 2]) != nil && UInt64(parts[parts.count - 1], radix: 36) != nil
  }
}

// The method above hides the C function of the same name.
private func systemRename(_ source: [CChar], _ target: [CChar]) -> Int32 { rename(source, target) }
