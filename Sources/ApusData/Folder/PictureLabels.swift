import ApusCore
import Foundation

/// Where the class of each picture in a folder comes from.
public enum PictureLabels: Sendable, Hashable {
  /// The folder right below that holds it, however deep: `cat/1.png`, `cat/more/2.png`.
  case folders
  /// A CSV or JSON file that names pictures and labels; those that it does not name are left out.
  case file(String)
  /// A regular expression for the picture's name, whose first group is the class: `(.+)_\d+\.jpg`.
  case pattern(String)
}

/// Pictures and their classes' names.
struct LabelledPictures {
  /// Below the folder.
  private(set) var paths: [String] = []
  private(set) var labels: [String] = []
  private(set) var ignored: IgnoredFiles

  /// - Throws: `DataError` where there is no picture or no class, or one that is named is missing; `FileError`.
  init(_ folder: String, _ source: PictureLabels) throws {
    let scan = try PictureScan(folder)
    ignored = scan.ignored
    switch source {
    case .folders: try takeFolders(scan, folder)
    case .file(let path): try take(LabelFile(path), scan, folder, path)
    case .pattern(let text): try takeNames(scan, folder, pattern: text)
    }
  }

  private mutating func append(_ path: String, _ label: String) {
    paths.append(path)
    labels.append(label)
  }

  private mutating func takeFolders(_ scan: PictureScan, _ folder: String) throws {
    var filled: Set<String> = []
    for path in scan.pictures {
      guard let slash = path.unicodeScalars.firstIndex(of: "/") else {
        ignored.unlabelled += 1
        continue
      }
      let label = String(path.unicodeScalars[..<slash])
      filled.insert(label)
      append(path, label)
    }
    ignored.emptyFolders = scan.folders.filter { !filled.contains($0) }
    guard paths.isEmpty else { return }
    if ignored.unlabelled > 0 {
      throw DataError(
        .malformed, at: folder, "it holds \(ignored.unlabelled) pictures, but no folder for each class",
        advice: "make a folder for each class, or say where the labels are (a CSV or JSON file, or a pattern)")
    }
    throw Self.nothing(in: folder, ignored)
  }

  private mutating func take(_ file: LabelFile, _ scan: PictureScan, _ folder: String, _ source: String) throws {
    let known = Set(scan.pictures)
    // Without the extension, where one picture has that name.
    var bare: [String: String?] = [:]
    for path in scan.pictures {
      let ending = PictureScan.fileExtension(path)
      let name = ending.isEmpty ? path : String(path.unicodeScalars.dropLast(ending.unicodeScalars.count + 1))
      bare[name] = bare[name] == nil ? path : String?.none
    }
    var missing: [String] = []
    for (path, label) in file.rows {
      if known.contains(path) {
        append(path, label)
      } else if let found = bare[path] ?? nil {
        append(found, label)
      } else {
        missing.append(path)
      }
    }
    if let first = missing.first {
      throw DataError(
        .malformed, at: source,
        "\(missing.count) of its \(file.rows.count) pictures are not in \(FilePath.printable(folder)), the first is "
          + FilePath.printable(first), advice: "correct the paths, which are relative to the folder")
    }
    ignored.unlabelled = scan.pictures.count - Set(paths).count
  }

  private mutating func takeNames(_ scan: PictureScan, _ folder: String, pattern: String) throws {
    let regex: Regex<AnyRegexOutput>
    do {
      regex = try Regex(pattern)
    } catch {
      throw DataError(.invalidArgument, at: "pattern", "'\(pattern)' is no regular expression: \(error)")
    }
    for path in scan.pictures {
      let name = FilePath.split(path).name
      if let match = try? regex.firstMatch(in: name), match.count > 1, let label = match[1].substring, !label.isEmpty {
        append(path, String(label))
      } else {
        ignored.unlabelled += 1
      }
    }
    guard paths.isEmpty else { return }
    if scan.pictures.isEmpty { throw Self.nothing(in: folder, ignored) }
    throw DataError(
      .malformed, at: folder,
      "none of its \(scan.pictures.count) pictures fits the pattern '\(pattern)', whose first "
        + "group must be the class", advice: "the first picture is \(FilePath.printable(scan.pictures[0]))")
  }

  private static func nothing(in folder: String, _ ignored: IgnoredFiles) -> DataError {
    DataError(
      .notFound, at: folder, "no pictures in it" + (ignored.isEmpty ? "" : ", only \(ignored)"),
      advice: "give a folder with a folder of pictures for each class")
  }
}
