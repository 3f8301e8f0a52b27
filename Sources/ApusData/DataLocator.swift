import ApusCore
public import Foundation

/// Where data sets are looked for, in order: the given folder, `APUS_DATA_DIR`, the user's cache.
///
/// The cache is `$XDG_CACHE_HOME/apus`, else `~/.cache/apus`. Missing files are downloaded into the first of these
/// folders in which files can be made.
public struct DataLocator: Sendable, Hashable {
  /// In order of preference.
  public let folders: [String]

  /// - Parameters:
  ///   - folder: What the user asked for, if anything.
  ///   - environment: The process's environment, unless a test says otherwise.
  public init(folder: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    // The XDG specification asks to ignore a relative path.
    let cache =
      value("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? value("HOME").map { FilePath.join($0, ".cache") }
    folders = [folder, value("APUS_DATA_DIR"), cache.map { FilePath.join($0, "apus") }].compactMap { $0 }
  }

  /// The folder into which files are downloaded, or `nil` when none can be written.
  public var downloadFolder: String? { folders.first { FilePath.canCreateFiles(in: $0) } }
}
