public import ApusCore
import Synchronization

/// What to do with a picture that cannot be read.
public enum BadPicturePolicy: String, Sendable, Hashable, CaseIterable {
  /// Leave it out, and say so.
  case skip
  /// End with an error.
  case stop
}

/// A picture that could not be read, and why.
public struct BadPicture: Sendable, Hashable, CustomStringConvertible {
  /// The whole path.
  public let path: String
  public let reason: String

  public var description: String { reason.hasPrefix(path) ? reason : "\(path): \(reason)" }
}

/// One's own pictures: a folder for each class, a table of labels, or labels in the files' names.
///
/// ```swift
/// let pets = try ImageFolder("pets", imageShape: [224, 224, 3])      // pets/cat/1.jpg, pets/dog/7.png, ...
/// let (training, validation) = try pets.split(validationFraction: 0.2)
/// try trainer.fit(training, epochs: 10, validation: .data(validation))
/// ```
/// Pictures are read when they are asked for, on several threads, so they need not fit in memory; `decoded()` reads all
/// of them once. Each is turned upright, brought to one shape and one number of channels. A picture that cannot be read
/// is left out: in a batch the next one stands in its place, at every epoch the same one.
public struct ImageFolder: Dataset {
  public internal(set) var name: String
  /// Where the pictures are.
  public let folder: String
  /// In the order of their names; a picture's target is its class's index.
  public let classNames: [String]
  /// Height, width and channels that each picture is brought to.
  public private(set) var imageShape: [Int]
  public let preparation: PicturePreparation
  public let onBadPicture: BadPicturePolicy
  /// What else lies in the folder.
  public let ignored: IgnoredFiles
  /// Paths below the folder.
  private(set) var paths: [String]
  private(set) var labels: [Int32]
  private let bad: BadPictures
  private var cache: PictureCache?

  /// Finds the pictures of a folder; none of them is opened yet.
  ///
  /// - Parameters:
  ///   - imageShape: height, width and channels (1 or 3) of what the network takes.
  ///   - labels: where the classes come from.
  ///   - classNames: the classes, where they are known already, as those of a trained network; any other is an error.
  ///   - preparation: how pictures are brought to the shape.
  /// - Throws: `DataError` where there are no pictures or fewer than two classes; `FileError` for what cannot be read.
  public init(
    _ folder: String, imageShape: [Int], labels: PictureLabels = .folders, classNames: [String]? = nil,
    preparation: PicturePreparation = PicturePreparation(), onBadPicture: BadPicturePolicy = .skip
  ) throws {
    guard imageShape.count == 3, imageShape.allSatisfy({ $0 > 0 }), [1, 3].contains(imageShape[2]),
      imageShape.checkedElementCount != nil
    else {
      throw DataError(
        .invalidArgument, at: "imageShape", "\(imageShape.shapeDescription) is no shape of pictures",
        advice: "give height, width and 1 or 3 channels")
    }
    let found = try LabelledPictures(folder, labels)
    let names = classNames ?? Set(found.labels).sorted()
    let numbers = Dictionary(names.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    if let stray = found.labels.first(where: { numbers[$0] == nil }) {
      throw DataError(
        .malformed, at: folder,
        "it has the class '\(FilePath.printable(stray))', which is none of the network's: "
          + names.map { FilePath.printable($0) }.joined(separator: ", "))
    }
    guard names.count > 1 else {
      throw DataError(
        .malformed, at: folder, "it has one class only, '\(names.first.map { FilePath.printable($0) } ?? "")'",
        advice: "give pictures of at least two classes, each in its own folder")
    }
    name = Self.name(of: folder)
    self.folder = folder
    self.classNames = names
    self.imageShape = imageShape
    self.preparation = preparation
    self.onBadPicture = onBadPicture
    ignored = found.ignored
    paths = found.paths
    self.labels = found.labels.map { numbers[$0]! }
    bad = BadPictures()
  }

  /// This data set with some of it changed; what is known of bad pictures is shared.
  func with(_ change: (inout ImageFolder) -> Void) -> ImageFolder {
    var other = self
    change(&other)
    return other
  }

  /// The pictures of these positions; a position may come more than once.
  func selecting(_ positions: [Int]) -> ImageFolder {
    with {
      $0.paths = positions.map { paths[$0] }
      $0.labels = positions.map { labels[$0] }
    }
  }

  /// What data in `folder` are called: its last part.
  package static func name(of folder: String) -> String {
    var scalars = folder.unicodeScalars
    while scalars.count > 1, scalars.last == "/" { scalars.removeLast() }
    return FilePath.split(String(scalars)).name
  }

  /// The same pictures, brought to another shape.
  package func with(imageShape: [Int]) -> ImageFolder {
    with {
      $0.imageShape = imageShape
      $0.cache = nil
    }
  }

  /// The same pictures, kept decoded in files of `cacheFolder`, where later trainings find them. Parts that are split off
  /// share them; a picture that has changed since is decoded again.
  ///
  /// - Throws: `FileError`; `DataError` where another program uses the cache.
  public func cached(in cacheFolder: String) throws -> ImageFolder {
    let cache = try PictureCache(cacheFolder, shape: imageShape, preparation: preparation)
    return with { $0.cache = cache }
  }

  /// Why the cache takes no more pictures: a full disk; `nil` where it does.
  public var cacheProblem: FileError? { cache?.problem }

  /// These pictures with the cache of others of the same shape and preparation.
  package func sharingCache(of other: ImageFolder?) -> ImageFolder { with { $0.cache = other?.cache } }

  /// The median height and width of some of the pictures, and 1 channel where all of these are grey, else 3.
  package var typicalShape: [Int] {
    let step = max(1, count / 100)
    let headers = stride(from: 0, to: count, by: step).compactMap {
      try? PictureHeader(contentsOf: FilePath.join(folder, paths[$0]))
    }.filter { $0.width > 0 }
    func median(_ values: [Int]) -> Int { values.isEmpty ? 224 : values.sorted()[values.count / 2] }
    return [
      median(headers.map(\.height)), median(headers.map(\.width)),
      !headers.isEmpty && headers.allSatisfy(\.isGrey) ? 1 : 3,
    ]
  }

  // MARK: Counts

  public var count: Int { paths.count }

  /// The number of pictures of each class.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }

  /// Pictures that could not be read so far, in the order of their paths.
  public var badPictures: [BadPicture] { bad.all }

  // MARK: Reading

  public var inputs: [TensorType] { [TensorType(shape: imageShape, dtype: .uint8)] }
  public var targets: [TensorType] { [TensorType(shape: [], dtype: .int32)] }

  public func read(_ index: Int, into sample: Sample) throws {
    for offset in 0..<count {
      let position = (index + offset) % count
      guard let picture = try picture(position) else { continue }
      picture.pixels.bytes.withUnsafeBytes { sample.input(0).copyMemory(from: $0) }
      sample.target(0).storeBytes(of: labels[position], as: Int32.self)
      return
    }
    throw DataError(
      .malformed, at: folder, "none of its \(count) pictures can be read", advice: bad.all.first.map { "\($0)" })
  }

  /// The picture at `position`, in its shape; `nil` for one that is left out.
  ///
  /// - Throws: what is wrong with it, if such pictures are not to be left out.
  func picture(_ position: Int) throws -> Image? {
    let path = FilePath.join(folder, paths[position])
    if bad.contains(path) { return nil }
    do {
      guard let cache else { return try preparation.picture(at: path, shape: imageShape) }
      return try cache.picture(at: path) { try preparation.picture(at: path, shape: imageShape) }
    } catch let error where onBadPicture == .skip && Self.isOfPicture(error) {
      bad.add(path, "\(error)")
      return nil
    }
  }

  /// Whether it is this picture that is at fault, not the machine.
  private static func isOfPicture(_ error: any Error) -> Bool {
    if let error = error as? DataError { return error.kind != .missingLibrary }
    return error is FileError
  }
}

extension ImageFolder: CustomStringConvertible {
  /// `pets: 7390 pictures as 224x224x3, 37 classes, from /data/pets`
  public var description: String {
    "\(FilePath.printable(name)): \(count) pictures as \(imageShape.shapeDescription), \(classNames.count) classes, from "
      + FilePath.printable(folder)
  }
}

/// Pictures that could not be read, as threads find them.
private final class BadPictures: Sendable {
  private let reasons = Mutex<[String: String]>([:])

  func contains(_ path: String) -> Bool { reasons.withLock { $0[path] != nil } }
  func add(_ path: String, _ reason: String) { reasons.withLock { $0[path] = reason } }
  var all: [BadPicture] {
    reasons.withLock { $0 }.map { BadPicture(path: $0, reason: $1) }.sorted { $0.path < $1.path }
  }
}
