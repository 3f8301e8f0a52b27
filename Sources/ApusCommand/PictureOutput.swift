import Apus
import ApusCore

/// `--show`: where the pictures are written that a network was given.
struct PictureOutput {
  private let path: String
  /// Whether it is a folder with a file for each picture.
  private let isFolder: Bool
  private var names: Set<String> = []

  /// - Throws: `CommandError` where several pictures cannot go to one file.
  init(_ path: String, pictureCount: Int) throws {
    let isFile = path.lowercased().hasSuffix(".png")
    guard pictureCount == 1 || !isFile else {
      throw CommandError(.usage, "--show \(path) is one file; name a folder for \(pictureCount) pictures")
    }
    (self.path, isFolder) = (path, !isFile || FilePath.isFolder(path))
  }

  /// Writes the picture that was prepared of the file of that name.
  mutating func write(_ picture: Image, of source: String) throws {
    do {
      if isFolder { try FilePath.createFolder(path) }
      try picture.writePNG(to: isFolder ? FilePath.join(path, unusedName(for: source)) : path)
    } catch let error as FileError {
      throw CommandError(.inputOutput, "\(error); choose another place with --show")
    }
  }

  /// `photo.png` for `photos/photo.jpg`, `photo-2.png` where that is taken.
  private mutating func unusedName(for source: String) -> String {
    let name = source == "-" ? "standard-input" : FilePath.split(source).name
    let scalars = name.unicodeScalars
    let stem = scalars.lastIndex(of: ".").map { $0 > scalars.startIndex ? String(scalars[..<$0]) : name } ?? name
    var number = 1
    while true {
      let candidate = number == 1 ? "\(stem).png" : "\(stem)-\(number).png"
      if names.insert(candidate).inserted { return candidate }
      number += 1
    }
  }
}
