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
/// an error on the way removes the temporary file and leaves the old target as it was.
package enum AtomicFile {
  package static func write(to path: String, _ body: (File) throws -> Void) throws {
    let (folder, name) = FilePath.split(path)
    // Hidden, and unique by process and number, so that two writers of one target do not meet.
    let suffix = String(UInt64.random(in: .min ... .max), radix: 36)
    let temporary = FilePath.join(folder, ".\(name).\(getpid()).\(suffix).tmp")
    do {
      let file = try File(creating: temporary)
      try body(file)
      try file.synchronize()
      try file.finish()
      try rename(temporary, to: path)
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
}

// The method above hides the C function of the same name.
private func systemRename(_ source: [CChar], _ target: [CChar]) -> Int32 { rename(source, target) }
