import Apus
import ApusCore
import ArgumentParser

/// `--data-dir`: where data sets are looked for.
struct DataOption: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp(
      "The folder with the data set's files; an empty one has them downloaded into it.",
      discussion: """
        The environment variable APUS_DATA_DIR means the same. A folder that is named is used, or it is an error. \
        Without either: the user's cache.
        """, valueName: "folder"))
  var folder: String?
}

/// Data by what users type: the name of a data set, or a folder of pictures.
enum DataName {
  case published(PublishedDataset)
  case folder(String)

  /// - Throws: `ValidationError` that lists the names.
  init(parsing text: String) throws {
    do {
      self = .published(try PublishedDatasets.catalog.part(named: text.lowercased()))
    } catch {
      guard FilePath.isFolder(text) else {
        let kind = FilePath.exists(text) ? "a file, no folder of pictures" : "neither a data set nor a folder"
        throw ValidationError(
          "'\(text)' is \(kind); use \(error.known.joined(separator: ", ")), or name a folder that holds a folder of "
            + "pictures for each class.")
      }
      self = .folder(text)
    }
  }

  static let help =
    "\(PublishedDatasets.catalog.names.joined(separator: ", ")), or a folder that has a folder of pictures for each class."

  /// As runs have it.
  var name: String {
    switch self {
    case .published(let data): data.name
    case .folder(let path): ImageFolder.name(of: path)
    }
  }
}

extension PublishedDataset {
  /// Reads one part, downloading it where it is not found.
  func load(_ part: DatasetPart, from option: DataOption) throws -> ImageDataset {
    if let folder = option.folder, !hasFiles {
      throw CommandError(.usage, "--data-dir \(folder) does not go with \(name), which the program draws; leave it out")
    }
    return try load(part, DataLocator(folder: option.folder), DownloadReport.downloader())
  }
}
