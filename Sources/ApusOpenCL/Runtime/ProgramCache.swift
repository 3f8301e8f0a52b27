import ApusCore

/// Built programs, in memory by their source and on disk by all that the driver's code depends on.
///
/// An entry on disk holds the whole key beside the driver's binary, so neither a changed driver nor two keys with one
/// hash can give a wrong kernel, and ends with a checksum. Whatever is wrong with an entry, the program is compiled
/// from source and the entry replaced.
package final class ProgramCache {
  /// The layout of an entry; part of the key.
  private static let format = "apus-kernel-1\n"

  private let context: OpenCLContext
  let folder: String?
  private var programs: [String: OpenCLProgram] = [:]
  /// Compiled, not yet on disk.
  private var unsaved: [(key: String, program: OpenCLProgram)] = []
  /// How many were compiled and not yet launched: many drivers make a kernel's code at its first launch.
  private(set) var untriedCount = 0

  /// - Parameter folder: `nil` to keep nothing on disk.
  init(_ context: OpenCLContext, folder: String?) {
    self.context = context
    self.folder = folder
  }

  /// The program of `source`: known, from disk, or compiled.
  func program(_ source: KernelSource) throws(BackendError) -> OpenCLProgram {
    if let known = programs[source.text] { return known }
    if context.device.isPocl, let problem = PoclFolder.problem {
      throw BackendError(
        .deviceUnavailable, "\(context.name): the kernel \(source.name) cannot be made: \(problem)")
    }
    let program: OpenCLProgram
    let key = key(of: source)
    if let loaded = load(key, of: source) {
      program = loaded
    } else {
      program = try OpenCLProgram(compiling: source, in: context)
      untriedCount += 1
      if folder != nil { unsaved.append((key, program)) }
    }
    programs[source.text] = program
    return program
  }

  /// Takes note of a launch; whether it is the first of a program that was compiled.
  func tries(_ program: OpenCLProgram) -> Bool {
    guard program.isUntried else { return false }
    program.isUntried = false
    untriedCount -= 1
    return true
  }

  /// Everything that decides what the driver makes of a source.
  private func key(of source: KernelSource) -> String {
    let device = context.device
    return [
      Self.format + device.platformName, device.platformVersion, device.vendor, device.description.name,
      device.driverVersion, source.options, source.text,
    ].joined(separator: "\n")
  }

  private func path(_ key: String) -> String? {
    folder.map { FilePath.join($0, String(Checksum(key.utf8).value, radix: 16) + ".bin") }
  }

  // MARK: Entries: format, lengths of key and binary, key, binary, checksum of all that

  /// The program that the disk holds for `key`; `nil` for an entry that is missing, damaged or not accepted.
  private func load(_ key: String, of source: KernelSource) -> OpenCLProgram? {
    guard let path = path(key), let entry = try? File.contents(of: path, maximumByteCount: 1 << 28) else { return nil }
    let prefix = Self.header(key: key)
    let start = prefix.count + 8
    guard entry.count > start + 8, entry.starts(with: prefix) else { return nil }
    let end = entry.count - 8
    guard UInt64(littleEndian: entry[prefix.count..<start]) == UInt64(end - start),
      UInt64(littleEndian: entry[end...]) == Checksum(entry[..<end]).value
    else { return nil }
    return OpenCLProgram(binary: entry[start..<end], of: source, in: context)
  }

  private static func header(key: String) -> [UInt8] {
    Array(format.utf8) + UInt64(key.utf8.count).littleEndianBytes + Array(key.utf8)
  }

  /// Writes what was compiled, for at most `seconds`; the rest, and what cannot be written, waits for the next time.
  ///
  /// To be called when the work is done: pocl compiles a program a second time, in a form for all sizes of work-groups,
  /// before it hands out the binary.
  func save(atMost seconds: Double) {
    guard let folder, !unsaved.isEmpty else { return }
    guard (try? FilePath.createFolder(folder)) != nil else { return }
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end, let (key, program) = unsaved.popLast() {
      guard let path = path(key), let binary = program.binary else { continue }
      var entry = Self.header(key: key) + UInt64(binary.count).littleEndianBytes + binary
      entry += Checksum(entry).value.littleEndianBytes
      try? AtomicFile.write(entry, to: path)
    }
  }
}

extension UInt64 {
  fileprivate var littleEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) } }

  fileprivate init(littleEndian bytes: ArraySlice<UInt8>) {
    self = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
