import ApusCore

/// A published file: its name, where it can be had, and its sum.
public struct RemoteFile: Hashable, Sendable {
  public let name: String
  /// Addresses of the same bytes, in order of preference.
  public let mirrors: [String]
  /// In lower-case hexadecimal.
  public let md5: String
  /// An answer longer than this is given up.
  public let maximumByteCount: Int

  public init(name: String, mirrors: [String], md5: String, maximumByteCount: Int) {
    self.name = name
    self.mirrors = mirrors
    self.md5 = md5
    self.maximumByteCount = maximumByteCount
  }
}

/// Fetches published files: mirrors in turn, interrupted transfers resumed, sums checked, nothing half-written left.
///
/// While a file comes in it is called `NAME.part`; it takes its name when its sum is right. What came in before an
/// interruption is kept and gone on with; an error page or a wrong sum is deleted. Two programs that want the same file
/// take turns.
public struct Downloader: Sendable {
  /// How far a transfer has come.
  public struct Progress: Sendable, Hashable {
    public let file: String
    public let receivedByteCount: Int
    /// `nil` when the server does not say.
    public let totalByteCount: Int?
  }

  /// A transfer that brings nothing for so many seconds is given up.
  public var timeout: Double
  /// Called on another thread whenever bytes have come in.
  public var progress: (@Sendable (Progress) -> Void)?

  public init(timeout: Double = 30, progress: (@Sendable (Progress) -> Void)? = nil) {
    self.timeout = timeout
    self.progress = progress
  }

  /// Fetches those of the files that `folder` does not hold yet.
  ///
  /// - Throws: `DataError` saying what each mirror answered, and how to go on without a network;
  ///   `FileError` when the folder cannot be written.
  public func download(_ files: [RemoteFile], into folder: String, for set: String) throws {
    let made = FilePath.missingFolders(folder)
    do {
      for (index, file) in files.enumerated() {
        if let failures = try fetch(file, into: folder) {
          let reason = "the download into \(folder) failed:\n" + failures.map { "  " + $0 }.joined(separator: "\n")
          throw DataError(.notFound, at: set, reason, advice: Self.advice(for: Array(files[index...])))
        }
      }
    } catch {
      made.forEach(FilePath.removeIfEmpty)
      throw error
    }
  }

  /// What to tell a user who cannot download.
  static func advice(for files: [RemoteFile]) -> String {
    let list = files.map { "  \($0.name)  MD5 \($0.md5)\n    \($0.mirrors.joined(separator: "\n    "))" }
    return "without a network, put these files into a folder and name it with --data-dir or APUS_DATA_DIR:\n"
      + list.joined(separator: "\n")
  }

  /// Fetches one file; returns what went wrong at each mirror when none had it.
  private func fetch(_ file: RemoteFile, into folder: String) throws -> [String]? {
    let target = FilePath.join(folder, file.name)
    if FilePath.exists(target) { return nil }
    try FilePath.createFolder(folder)
    let partPath = target + ".part"
    let part = try Self.openLocked(partPath)
    if FilePath.exists(target) {  // another process fetched it while this one waited
      try FilePath.remove(partPath)
      return nil
    }

    var failures: [String] = []
    for mirror in file.mirrors {
      // A second try at the same mirror only when the first went on from remains that may have been wrong.
      for _ in 0..<2 {
        let offset = try part.byteCount
        if try offset > 0 && MD5.hexDigest(of: part) == file.md5 { return try finish(part, target) }
        do {
          try Transfer(file, to: part, from: offset, timeout: timeout, progress: progress).run(mirror)
        } catch let error as Transfer.Failure {
          failures.append("\(mirror): \(error.reason)")
          if !error.keepsBytes { try part.truncate(to: 0) }
          if error.keepsBytes || offset == 0 { break }
          continue
        }
        let sum = try MD5.hexDigest(of: part)
        if sum == file.md5 { return try finish(part, target) }
        failures.append("\(mirror): the file has the MD5 sum \(sum), not \(file.md5)")
        try part.truncate(to: 0)
        if offset == 0 { break }
      }
    }
    if try part.byteCount == 0 { try FilePath.remove(partPath) }
    return failures
  }

  private func finish(_ part: File, _ target: String) throws -> [String]? {
    try part.synchronize()
    try AtomicFile.rename(part.path, to: target)
    return nil
  }

  /// Opens the partial file and waits until this process alone works on it.
  private static func openLocked(_ path: String) throws -> File {
    while true {
      let file = try File(updating: path)
      try file.lock()
      // The process that held the lock may have renamed or removed the file.
      if file.isStillAtPath { return file }
    }
  }
}
