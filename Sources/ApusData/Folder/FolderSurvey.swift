import ApusCore
import Dispatch
import Synchronization

/// What the pictures of a folder are like: every one of them is opened.
public struct FolderSurvey: Sendable, Hashable {
  /// Width and height, as stored.
  public struct Size: Sendable, Hashable, CustomStringConvertible {
    public var width: Int, height: Int
    public var description: String { "\(width)x\(height)" }
  }

  /// The number of pictures of each format.
  public private(set) var formats: [PictureFormat: Int] = [:]
  /// By the number of pixels; `nil` where no picture has a size.
  public private(set) var smallest: Size?
  public private(set) var median: Size?
  public private(set) var largest: Size?
  /// Those that cannot be read, in the order of their paths.
  public private(set) var bad: [BadPicture] = []

  fileprivate init(_ headers: [PictureHeader], bad: [BadPicture]) {
    for header in headers { formats[header.format, default: 0] += 1 }
    let sizes = headers.filter { $0.width > 0 }.map { Size(width: $0.width, height: $0.height) }
      .sorted { ($0.width * $0.height, $0.width) < ($1.width * $1.height, $1.width) }
    (smallest, largest, self.bad) = (sizes.first, sizes.last, bad)
    median = sizes.isEmpty ? nil : sizes[sizes.count / 2]
  }
}

extension ImageFolder {
  /// Opens every picture, on all processors.
  ///
  /// - Throws: `DataError` where libpng or libjpeg is not installed.
  public func survey() throws -> FolderSurvey {
    let found = Mutex((headers: [PictureHeader](), failure: (any Error)?.none))
    let progress = ProgressLine("Looking at pictures", total: count)
    nonisolated(unsafe) let line = progress
    DispatchQueue.concurrentPerform(iterations: count) { position in
      let header = try? PictureHeader(contentsOf: FilePath.join(folder, paths[position]))
      let failure: (any Error)?
      do {
        _ = try picture(position)
        failure = nil
      } catch {
        failure = error
      }
      found.withLock {
        if let header { $0.headers.append(header) }
        if let failure { $0.failure = failure }
        line?.next()
      }
    }
    let (headers, failure) = found.withLock { $0 }
    if let failure { throw failure }
    return FolderSurvey(headers, bad: badPictures)
  }

  /// A picture of pictures: a row for each class, at most `rows` of them, with its first `columns` pictures.
  ///
  /// - Throws: `DataError` where none can be read.
  public func contactSheet(rows: Int = 20, columns: Int = 10) throws -> Image {
    precondition(rows > 0 && columns > 0, "ImageFolder: a sheet of \(rows)x\(columns) pictures")
    var chosen: [[Image]] = []
    for label in 0..<min(rows, classNames.count) {
      var pictures: [Image] = []
      for position in labels.indices where labels[position] == Int32(label) && pictures.count < columns {
        if let picture = try picture(position) { pictures.append(picture) }
      }
      chosen.append(pictures)
    }
    return try Image.sheet(chosen, of: imageShape)
  }
}
