import Apus
import ApusCore

/// Labelled pictures as a command uses them: all in memory, or read one by one.
struct Pictures {
  private(set) var data: any Dataset
  let name: String
  private(set) var imageShape: [Int]
  let classNames: [String]
  /// Name of the network that fits them, unless another is asked for.
  let defaultModel: String
  let identity: DataIdentity
  /// What is to be said even where little is.
  let notes: [String]
  /// Where they are from, and the same in words.
  let source: String
  private(set) var origin: String, description: String
  /// The folder that they are read from, which knows what could not be read; `nil` for a data set.
  let folder: ImageFolder?

  var count: Int { data.count }

  init(_ data: ImageDataset, of entry: PublishedDataset) {
    self.data = data
    (name, imageShape, classNames) = (data.name, data.imageShape, data.classNames)
    (defaultModel, identity, notes) = (entry.model, data.identity, data.note.map { [$0] } ?? [])
    (source, origin, description, folder) = (data.source, data.origin, "\(data)", nil)
  }

  /// A part of a data set, brought to `shape` where that is another.
  static func load(
    _ entry: PublishedDataset, _ part: DatasetPart, from option: DataOption, shape: [Int]?, on device: Device
  ) throws -> Pictures {
    let data = try entry.load(part, from: option)
    var pictures = Pictures(data, of: entry)
    guard let shape, shape != data.imageShape else { return pictures }
    pictures.data = try data.resized(height: shape[0], width: shape[1], channels: shape[2], device: device)
    pictures.imageShape = shape
    let change = ", brought to \(shape.shapeDescription)"
    pictures.origin += change
    pictures.description += change
    return pictures
  }

  /// Read at once where that takes little memory, else batch by batch.
  init(_ folder: ImageFolder, defaultModel: String) throws {
    let fits = folder.decodedByteCount <= HostMemory.total / 4
    data = fits ? try folder.decoded() : folder
    (name, imageShape, classNames) = (folder.name, folder.imageShape, folder.classNames)
    (self.defaultModel, identity) = (defaultModel, folder.identity)
    let (place, ignored) = (FilePath.printable(folder.folder), "\(folder.ignored)")
    notes = ignored.isEmpty ? [] : ["not used in \(place): \(ignored)"]
    (source, origin, description, self.folder) = (folder.folder, "from \(place)", "\(folder)", folder)
  }
}

/// The parts of what is trained on.
struct PictureParts {
  var training: Pictures
  var validation: Pictures?
  var test: Pictures?

  /// Why not all pictures are kept in the cache, if so.
  var cacheNote: String? {
    training.folder?.cacheProblem.map { "the cache takes no more pictures, which are decoded each time: \($0)" }
  }

  /// Pictures that could not be read so far: the first few, and how many more.
  var badPictureNote: String? {
    let all = [training, validation, test].compactMap { $0?.folder?.badPictures }.flatMap { $0 }
    // Parts of one folder share what they know.
    let bad = Dictionary(all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first }).values
      .sorted { $0.path < $1.path }
    if bad.isEmpty { return nil }
    let shown = bad.prefix(5).map { "  \(FilePath.printable("\($0)"))" }
    let more = bad.count > shown.count ? ["  and \(bad.count - shown.count) more: `apus data` lists them"] : []
    let what = bad.count == 1 ? "1 picture cannot be read and is" : "\(bad.count) pictures cannot be read and are"
    return (["\(what) left out:"] + shown + more).joined(separator: "\n")
  }
}

/// What is read of a folder of pictures, and how.
struct FolderPlan {
  private let parts: ImageFolderParts
  private let model: String
  private let balances: Bool

  /// - Parameters:
  ///   - model: the network that was asked for.
  ///   - run: a trained one, which knows its pictures' shape and classes.
  ///   - subject: what is cut out of the pictures for it, where that is not what was in training.
  init(
    _ path: String, _ pictures: PictureOptions, _ shape: PictureShapeOptions? = nil, model: String? = nil,
    run: RunConfiguration? = nil, subject: PictureSubject? = nil
  ) throws {
    var preparation =
      run.map { $0.preparation ?? .ofDataSets }
      ?? PicturePreparation(
        fit: shape?.fit ?? .crop, background: shape?.background ?? .black, subject: shape?.prepare)
    preparation.subject = subject ?? preparation.subject
    var parts = try ImageFolder.parts(of: path) { folder, classNames in
      // The shape is known once the pictures are.
      try ImageFolder(
        folder, imageShape: [1, 1, 1], labels: pictures.source, classNames: run?.classNames ?? classNames,
        preparation: preparation, onBadPicture: pictures.onBadPicture)
    }
    let typical = parts.training.typicalShape
    let isSmall = typical.prefix(2).allSatisfy { $0 <= Self.smallSide }
    let isDigit = preparation.subject == .digit
    self.model = model ?? (isDigit ? "tutorial-mnist" : isSmall ? "tutorial-cifar" : "resnet18")
    let imageShape: [Int]
    if let known = run?.inputShape ?? shape?.input?.sizes {
      imageShape = known
    } else if isDigit && model == nil {
      imageShape = MNIST.imageShape
    } else if isSmall && model == nil {
      imageShape = typical
    } else {
      imageShape = try Models.catalog.part(named: self.model).inputShape
    }
    parts.training = parts.training.with(imageShape: imageShape)
    if let folder = shape?.cache { parts.training = try parts.training.cached(in: folder) }
    let training = parts.training
    parts.validation = parts.validation?.with(imageShape: imageShape).sharingCache(of: training)
    parts.test = parts.test?.with(imageShape: imageShape).sharingCache(of: training)
    self.parts = parts
    balances = shape?.balance ?? false
  }

  /// Pictures up to this size are trained on as they are, by a small network.
  private static let smallSide = 64
  private static let usualSplit = 0.2

  /// Reads all parts; without one for validation, that is cut off the training part.
  func load(validationSplit: Double?, seed: UInt64) throws -> PictureParts {
    var (training, validation) = (parts.training, parts.validation)
    let fraction = validationSplit ?? Self.usualSplit
    if validation == nil && fraction > 0 {
      let cut = try training.split(validationFraction: fraction, seed: seed)
      (training, validation) = (cut.training, cut.validation)
    }
    if balances { training = training.balanced() }
    return PictureParts(
      training: try Pictures(training, defaultModel: model),
      validation: try validation.map { try Pictures($0, defaultModel: model) },
      test: try parts.test.map { try Pictures($0, defaultModel: model) })
  }

  /// What a trained network is measured on: the test part, or all of a folder without parts.
  func loadTest() throws -> Pictures { try Pictures(parts.test ?? parts.training, defaultModel: model) }
}
