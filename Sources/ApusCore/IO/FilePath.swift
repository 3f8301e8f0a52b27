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
    return folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }

  /// The folder that holds `path` (`.` when it names none) and the last part.
  package static func split(_ path: String) -> (folder: String, name: String) {
    // By scalars: a slash and a combining mark behind it are one character.
    let scalars = path.unicodeScalars
    guard let slash = scalars.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == scalars.startIndex ? "/" : String(scalars[..<slash])
    return (folder, String(scalars[scalars.index(after: slash)...]))
  }

  package static func exists(_ path: String) -> Bool { access(system(path), F_OK) == 0 }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(system(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether it is a plain file, or a link to one.
  package static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(system(path), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether files can be made in the folder, or in the nearest existing one above it.
  package static func canCreateFiles(in folder: String) -> Bool {
    if exists(folder) { return isFolder(folder) && access(system(folder), W_OK | X_OK) == 0 }
    let parent = split(folder).folder
    return parent != folder && canCreateFiles(in: parent)
  }

  /// Makes the folder and those above it; an existing folder is fine.
  package static func createFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    let parent = split(path).folder
    if parent != path && parent != "." { try createFolder(parent) }
    if mkdir(system(path), 0o777) != 0 && !(errno == EEXIST && isFolder(path)) {
      throw FileError("make the folder", path)
    }
  }

  /// Those of the folder and the folders above it that do not exist, the deepest first.
  package static func missingFolders(_ path: String) -> [String] {
    if exists(path) { return [] }
    let parent = split(path).folder
    return [path] + (parent == path || parent == "." ? [] : missingFolders(parent))
  }

  /// Removes a folder if there is nothing in it.
  package static func removeIfEmpty(_ folder: String) { _ = rmdir(system(folder)) }

  /// The names of what lies in a folder, sorted.
  package static func entries(of folder: String) throws(FileError) -> [String] {
    guard let stream = opendir(system(folder)) else { throw FileError("list", folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { string(system: $0.prefix { $0 != 0 }) }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a file; a missing one is fine.
  package static func remove(_ path: String) throws(FileError) {
    if unlink(system(path)) != 0 && errno != ENOENT { throw FileError("remove", path) }
  }
}
