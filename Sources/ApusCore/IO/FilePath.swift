#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Names of files and folders, as plain strings.
package enum FilePath {
  /// `folder/name`, whatever ends `folder`.
  package static func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The folder that holds `path` (`.` when it names none) and the last part.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether files can be made in the folder, or in the nearest existing one above it.
  package static func canCreateFiles(in folder: String) -> Bool {
    if exists(folder) { return isFolder(folder) && access(folder, W_OK | X_OK) == 0 }
    let parent = split(folder).folder
    return parent != folder && canCreateFiles(in: parent)
  }

  /// Makes the folder and those above it; an existing folder is fine.
  package static func createFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    let parent = split(path).folder
    if parent != path && parent != "." { try createFolder(parent) }
    if mkdir(path, 0o777) != 0 && !(errno == EEXIST && isFolder(path)) { throw FileError("make the folder", path) }
  }

  /// Removes a file; a missing one is fine.
  package static func remove(_ path: String) throws(FileError) {
    if unlink(path) != 0 && errno != ENOENT { throw FileError("remove", path) }
  }
}
