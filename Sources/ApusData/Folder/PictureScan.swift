import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What lies in a folder beside its pictures, counted.
public struct IgnoredFiles: Sendable, Hashable {
  /// What systems and programs leave behind: `.DS_Store`, `Thumbs.db`, folders like `__MACOSX`.
  public var hidden = 0
  /// Files that are no pictures, by their extension in lower case; empty for those without one.
  public var foreign: [String: Int] = [:]
  /// Pictures that belong to no class, where folders are classes.
  public var unlabelled = 0
  /// Folders of a class's level without a picture.
  public var emptyFolders: [String] = []

  public init() {}

  public var isEmpty: Bool { self == IgnoredFiles() }
}

extension IgnoredFiles: CustomStringConvertible {
  /// `2 hidden files, 3 files .txt, 1 picture outside of the classes' folders`; empty where nothing was ignored.
  public var description: String {
    func count(_ number: Int, _ one: String, _ many: String) -> String? {
      number == 0 ? nil : "\(number) \(number == 1 ? one : many)"
    }
    let others = foreign.sorted { $0.key < $1.key }.map { name, number in
      "\(number) \(number == 1 ? "file" : "files") \(name.isEmpty ? "without an extension" : ".\(name)")"
    }
    return
      ([count(hidden, "hidden file or folder", "hidden files or folders")] + others
      + [
        count(unlabelled, "picture outside of the classes' folders", "pictures outside of the classes' folders"),
        emptyFolders.isEmpty
          ? nil : "nothing in \(emptyFolders.map { FilePath.printable($0) }.joined(separator: ", "))",
      ]).compactMap { $0 }.joined(separator: ", ")
  }
}

/// The picture files below a folder.
struct PictureScan {
  /// Paths below the folder, folder by folder in the order of their names.
  private(set) var pictures: [String] = []
  private(set) var ignored = IgnoredFiles()
  /// The folders right below, hidden ones left out.
  private(set) var folders: [String] = []

  /// Walks through `folder` and all below it. Links are followed.
  ///
  /// - Throws: `FileError` for a folder that cannot be listed, `DataError` for a link that leads back to a folder above
  ///   it.
  init(_ folder: String) throws {
    try walk(folder, "", above: [])
  }

  /// A folder, whatever it is called.
  private struct Identity: Equatable {
    let device: dev_t
    let file: ino_t

    init?(_ path: String) {
      var status = stat()
      guard stat(FilePath.system(path), &status) == 0 else { return nil }
      (device, file) = (status.st_dev, status.st_ino)
    }
  }

  private mutating func walk(_ root: String, _ place: String, above: [(identity: Identity, path: String)]) throws {
    let folder = place.isEmpty ? root : FilePath.join(root, place)
    guard let identity = Identity(folder) else { throw FileError("list", folder) }
    if let first = above.first(where: { $0.identity == identity }) {
      throw DataError(
        .malformed, at: folder, "it is a link that leads back to \(FilePath.printable(first.path))", advice: "remove it"
      )
    }
    for name in try FilePath.entries(of: folder) {
      let path = place.isEmpty ? name : FilePath.join(place, name)
      let whole = FilePath.join(root, path)
      if Self.isHidden(name) {
        ignored.hidden += 1
      } else if FilePath.isFolder(whole) {
        if place.isEmpty { folders.append(name) }
        try walk(root, path, above: above + [(identity, folder)])
      } else if Self.isPicture(whole) {
        pictures.append(path)
      } else {
        ignored.foreign[Self.fileExtension(name), default: 0] += 1
      }
    }
  }

  private static let leftBehind: Set<String> = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"]

  static func isHidden(_ name: String) -> Bool {
    name.unicodeScalars.first == "." || leftBehind.contains(name.lowercased())
  }

  /// In lower case; empty where there is none.
  static func fileExtension(_ name: String) -> String {
    let scalars = FilePath.split(name).name.unicodeScalars
    guard let dot = scalars.lastIndex(of: "."), dot != scalars.startIndex else { return "" }
    return String(scalars[scalars.index(after: dot)...]).lowercased()
  }

  /// By the extension, or where there is none by the first bytes.
  private static func isPicture(_ path: String) -> Bool {
    let ending = fileExtension(path)
    if !ending.isEmpty { return PictureFormat.allExtensions.contains(ending) }
    guard let file = try? File(reading: path) else { return false }
    var header = [UInt8](repeating: 0, count: PictureFormat.headerLength)
    let count = (try? header.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
    return PictureFormat(header: header.prefix(count)) != nil
  }
}
