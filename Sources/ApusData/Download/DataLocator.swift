import ApusCore
public import Foundation

/// The one folder in which a data set is looked for: the given one, else that of `APUS_DATA_DIR`, else the user's
/// cache.
///
/// A folder that is named is used, or it is an error; no other is looked into. The cache is `$XDG_CACHE_HOME/apus`,
/// else `~/.cache/apus`.
public struct DataLocator: Sendable, Hashable {
  /// `nil` where none is named and the user has no home.
  public let folder: String?
  /// Whether the user named it, so that it must be there and is not filled with downloads unless it is empty.
  public let isNamed: Bool
  /// What messages say about the folder's origin.
  let remark: String

  /// - Parameters:
  ///   - folder: What the user asked for, if anything.
  ///   - environment: The process's environment, unless a test says otherwise.
  public init(folder: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let named = folder ?? value("APUS_DATA_DIR")
    // The XDG specification asks to ignore a relative path.
    let cache =
      value("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? value("HOME").map { FilePath.join($0, ".cache") }
    self.folder = named ?? cache.map { FilePath.join($0, "apus") }
    isNamed = named != nil
    remark = folder == nil && named != nil ? " (named by APUS_DATA_DIR)" : ""
  }
}
