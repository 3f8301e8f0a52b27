import Apus
import ApusCore
import ApusTraining
import ArgumentParser

/// `apus augment`
struct AugmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augment", abstract: "Shows what augmentations make of pictures.",
    discussion: "Each row of the preview begins with a picture as it is.")

  @Argument(help: ArgumentHelp(DataName.help, valueName: "data"), transform: DataName.init(parsing:))
  var data: DataName?

  @OptionGroup var augmentation: AugmentationOption

  @Option(help: ArgumentHelp("Write the pictures to this PNG file.", valueName: "file"))
  var preview: String?

  @Option(help: ArgumentHelp("Rows, a picture each.", valueName: "n"))
  var pictures = 8

  @Option(help: ArgumentHelp("How often each is drawn.", valueName: "n"))
  var draws = 8

  @Option(help: ArgumentHelp("Of what is drawn.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Print all augmentations with their properties and usual values.")
  var list = false

  @OptionGroup var deviceOption: DeviceOption

  @OptionGroup var dataOption: DataOption

  @OptionGroup(title: "Options for a folder of pictures") var pictureOptions: PictureOptions

  @OptionGroup(title: "Options for a folder of pictures") var shape: PictureShapeOptions

  func validate() throws {
    for (count, option) in [(pictures, "--pictures"), (draws, "--draws")] where !(1...100).contains(count) {
      throw ValidationError("\(option) must be at least 1 and at most 100, not \(count).")
    }
    if list { return }
    guard let data else { throw ValidationError("name the data whose pictures are shown, or give --list.") }
    guard preview != nil else { throw ValidationError("--preview says where the pictures go, such as preview.png.") }
    guard augmentation.augment != nil else { throw ValidationError("--augment says what is done: flip,crop:4.") }
    if case .published = data, let option = (pictureOptions.given + shape.given).first {
      throw ValidationError("\(option) goes with a folder of pictures, not with \(data.name).")
    }
  }

  func run() throws {
    if list {
      for name in Augmentations.catalog.names { print(try Augmentations.usual(name)) }
      return
    }
    guard let data, let preview else { return }
    let chosen = try load(data)
    let rows = try PictureSample(chosen.data, count: pictures)
    let augmenter = try Augmenter(augmentation.all, device: deviceOption.chosen())
    let originals = try rows.images()
    var columns = [originals]
    for draw in 1...draws {
      columns.append(try augmenter(rows.pixels, indices: rows.indices, epoch: draw, seed: seed).images())
    }
    let sheet = originals.indices.map { row in columns.map { $0[row] } }
    try Image.sheet(sheet, of: chosen.imageShape).writePNG(to: preview)
    let what = "\(rows.indices.count) pictures of \(chosen.name), \(chosen.origin)"
    print("\(what), \(draws) times: \(FilePath.printable(preview))")
  }

  private func load(_ data: DataName) throws -> Pictures {
    switch data {
    case .published(let entry): Pictures(try entry.load(.train, from: dataOption), of: entry)
    case .folder(let path): try FolderPlan(path, pictureOptions, shape).load(validationSplit: 0, seed: 0).training
    }
  }
}

/// Pictures from all over a data set.
private struct PictureSample {
  let indices: [Int]
  /// uint8 `[N, H, W, C]`
  let pixels: NDArray

  init(_ data: any Dataset, count: Int) throws {
    let count = min(count, data.count)
    indices = (0..<count).map { $0 * data.count / count }
    let (type, target) = (data.inputs[0], data.targets[0])
    var bytes = [UInt8](repeating: 0, count: count * type.byteCount)
    var label = [UInt8](repeating: 0, count: target.byteCount)
    let places = indices
    try bytes.withUnsafeMutableBytes { bytes in
      try label.withUnsafeMutableBytes { label in
        for (place, index) in places.enumerated() {
          let memory = UnsafeMutableRawBufferPointer(
            rebasing: bytes[(place * type.byteCount)..<((place + 1) * type.byteCount)])
          try data.read(index, into: Sample(inputs: [memory], targets: [label]))
        }
      }
    }
    pixels = NDArray(bytes, shape: [count] + type.shape)
  }

  func images() throws -> [Image] { try pixels.images() }
}

extension NDArray {
  /// A picture for each row of bytes, or of floats of 0 to 255.
  fileprivate func images() throws -> [Image] {
    let bytes =
      dtype == .uint8
      ? self
      : NDArray(withElements(as: Float.self) { $0.map { UInt8(max(0, min(255, $0.rounded()))) } }, shape: shape)
    return try (0..<shape[0]).map { row in
      try Image(pixels: bytes.rows(row..<(row + 1)).reshaped(Array(shape.dropFirst())))
    }
  }
}
