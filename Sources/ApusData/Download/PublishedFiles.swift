import ApusCore

/// The files of a published data set: where they may lie in a folder, and how they get there.
struct PublishedFiles {
  /// The data set.
  let set: String
  /// What to download.
  let remotes: [RemoteFile]
  /// What messages say was looked for.
  let description: String
  /// The folder's subfolder for this set, into which files are downloaded.
  let subfolder: String
  /// Other places in the folder, in order; the subfolder comes first, then the folder itself.
  let otherPlaces: [String]

  /// Finds the files in the locator's folder, or else downloads them: into the cache, or into an empty folder that is
  /// named.
  ///
  /// - Parameter find: what one place holds, `nil` when nothing of the set lies there.
  /// - Throws: `DataError` saying what was looked for and what lies there, `FileError` when the folder cannot be read.
  func locate<Place>(
    in locator: DataLocator, _ downloader: Downloader?, find: (_ place: String) throws -> Place?
  ) throws -> Place {
    guard let folder = locator.folder else {
      throw missing("not found: there is no folder to look in, neither a named one nor the user's cache")
    }
    if locator.isNamed && !FilePath.isFolder(folder) {
      let fault = FilePath.exists(folder) ? "it is not a folder" : "there is no such folder"
      throw DataError(
        .notFound, at: folder + locator.remark, "\(fault), so \(set) cannot be read from it",
        advice: "correct the name, or make an empty folder to have the files downloaded into it")
    }
    let target = FilePath.join(folder, subfolder)
    for place in [target, folder] + otherPlaces.map({ FilePath.join(folder, $0) }) {
      if let found = try find(place) { return found }
    }
    let places = ([subfolder] + otherPlaces).map { "\($0)/" }.joined(separator: ", ")
    let searched =
      "not found in \(folder)\(locator.remark): looked for \(description), there and in \(places); "
      + Self.contents(of: folder)
    guard try !locator.isNamed || isFree(target) || isFree(folder) else {
      throw missing(
        searched,
        advice: "name the folder that holds them, name none to use the cache, or make an empty folder "
          + "\(target) to have them downloaded there")
    }
    guard let downloader else { throw missing(searched) }
    guard FilePath.canCreateFiles(in: target) else { throw missing("\(searched); files cannot be made there") }
    try downloader.download(remotes, into: target, for: set)
    guard let found = try find(target) else { throw missing(searched) }
    return found
  }

  /// Whether it is a folder with nothing in it but what an interrupted download left.
  private func isFree(_ folder: String) throws -> Bool {
    guard FilePath.isFolder(folder) else { return false }
    return try FilePath.entries(of: folder).allSatisfy { name in remotes.contains { "\($0.name).part" == name } }
  }

  private func missing(_ reason: String, advice: String? = nil) -> DataError {
    DataError(.notFound, at: set, reason, advice: advice ?? Downloader.advice(for: remotes))
  }

  /// `there lie a.txt, b/ and 7 more`
  static func contents(of folder: String) -> String {
    guard FilePath.exists(folder) else { return "the folder does not exist" }
    guard let names = try? FilePath.entries(of: folder) else { return "the folder cannot be read" }
    if names.isEmpty { return "there lies nothing" }
    let shown = names.prefix(12).map { FilePath.isFolder(FilePath.join(folder, $0)) ? $0 + "/" : $0 }
    let more = names.count > shown.count ? " and \(names.count - shown.count) more" : ""
    return "there lie " + shown.joined(separator: ", ") + more
  }
}
