import Apus
import ApusCore
import ArgumentParser
import Foundation

/// `apus predict`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a trained network sees in pictures.",
    discussion: """
      Pictures are turned upright and brought to what the network takes, as those that it was trained \
      on. MNIST's digits are white on black, 20 of 28 pixels high: use --prepare digit for a digit on paper. A note on \
      standard error says where a picture does not look like those of the training. A picture that cannot be read does \
      not keep the others from their results; the program then ends with the status of the first such.
      """)

  @Argument(help: ArgumentHelp("The folder that `apus train` left.", valueName: "run"))
  var folder: String

  @Argument(help: "Picture files; - is standard input.")
  var images: [String]

  @Option(help: ArgumentHelp("How many classes to print, most probable first.", valueName: "k"))
  var top = 5

  @Flag(help: "Swap dark and light.")
  var invert = false

  @Option(
    help: ArgumentHelp(
      "digit: the picture shows one handwritten digit, which is cut out as in MNIST: light on black, centred.",
      valueName: "subject"), transform: choice)
  var prepare: PictureSubject?

  @Option(
    help: ArgumentHelp(
      "Write what the network was given as PNG: a file, or a folder for several pictures.", valueName: "file"))
  var show: String?

  @Option(
    help: ArgumentHelp(
      "The ground under transparent pixels: auto, white, black or #RRGGBB.",
      discussion: "auto is white under dark ink and black under light ink.", valueName: "colour"),
    transform: ApusCommand.background)
  var background: Background?

  @OptionGroup var views: ViewsOption

  @OptionGroup var deviceOption: DeviceOption

  @Flag(help: "Print JSON.")
  var json = false

  /// One picture's outcome.
  private struct Prediction: Encodable {
    struct Class: Encodable {
      var name: String
      var probability: Double
    }

    var image: String
    var classes: [Class]
    /// What is odd about the picture.
    var note: String?
  }

  func validate() throws {
    try requireCount(top, "--top")
    if invert && prepare == .digit {
      throw ValidationError("--invert does not go with --prepare digit, which tells ink from ground itself.")
    }
  }

  func run() throws {
    let trained = try Run.load(folder)
    let shape = trained.configuration.inputShape
    guard shape.count == 3, shape[2] == 1 || shape[2] == 3 else {
      throw CommandError(
        .badData,
        "\(folder): the network takes \(shape.shapeDescription); pictures have one channel (grey) or three (RGB)")
    }
    try HostMemory.require([Self.chunk] + shape, .uint8, for: "pictures \(shape.shapeDescription)")
    var preparation = trained.configuration.preparation ?? .ofDataSets
    if let background { preparation.background = background }
    if let prepare { preparation.subject = prepare }
    var shown = try show.map { try PictureOutput($0, pictureCount: images.count) }
    var looks = LooksOfPictures(
      trained.configuration.pictureStatistics, isPrepared: invert || preparation.subject != nil)
    var trainer: Trainer?
    var predictions: [Prediction] = []
    var firstFailure: ExitStatus?
    for start in stride(from: 0, to: images.count, by: Self.chunk) {
      var pictures: [(path: String, note: String?)] = []
      var pixels: [UInt8] = []
      for path in images[start..<min(start + Self.chunk, images.count)] {
        let picture: Image
        do {
          picture = try read(path, shape: shape, preparation)
        } catch {
          reportError(error)
          firstFailure = firstFailure ?? ExitStatus(error)
          continue
        }
        try shown?.write(picture, of: path)
        pixels += picture.pixels.bytes
        pictures.append((path, looks.examine(picture, name: FilePath.printable(path))))
      }
      if pictures.isEmpty { continue }
      let predictor = try trainer ?? trained.makeTrainer(device: deviceOption.chosen())
      predictor.testTimeAugmentation = views.testTimeAugmentation
      trainer = predictor
      let probabilities = try predictor.probabilities(
        NDArray(pixels, shape: [pictures.count] + shape), batchSize: Self.chunk
      ).doubles
      if let index = probabilities.firstIndex(where: { !$0.isFinite }) {
        throw CommandError(
          .badData,
          "\(pictures[index / trained.configuration.classNames.count].path): the probabilities are not numbers: either "
            + "the weights in \(folder) are not, or \(predictor.device.identifier) (\(predictor.device.name)) gives "
            + "wrong results: `apus doctor` checks it")
      }
      let rows = ranked(probabilities, of: pictures, names: trained.configuration.classNames)
      if json { predictions += rows } else { rows.forEach(print) }
    }
    looks.finish()
    if json { try printJSON(predictions, isIndented: true) }
    if let firstFailure { throw ExitCode(firstFailure.rawValue) }
  }

  /// Pictures that are in memory at a time.
  private static let chunk = 32

  private func ranked(_ probabilities: [Double], of pictures: [(path: String, note: String?)], names: [String])
    -> [Prediction]
  {
    pictures.enumerated().map { index, picture in
      let row = probabilities[(index * names.count)..<((index + 1) * names.count)]
      let ranked = zip(names, row).sorted { $0.1 > $1.1 }.prefix(top)
      return Prediction(
        image: FilePath.printable(picture.path), classes: ranked.map { .init(name: $0.0, probability: $0.1) },
        note: picture.note)
    }
  }

  private func print(_ prediction: Prediction) {
    Swift.print(prediction.image)
    printTable(prediction.classes.map { [String(format: "  %.4f", $0.probability), $0.name] })
  }

  /// The picture at `shape`: height, width, channels, prepared as those that the network was shown before.
  private func read(_ path: String, shape: [Int], _ preparation: PicturePreparation) throws -> Image {
    let picture =
      try path == "-"
      ? preparation.picture(encoded: StandardInput.contents(), name: "standard input", shape: shape)
      : preparation.picture(at: path, shape: shape)
    if !invert { return picture }
    return try Image(pixels: NDArray(picture.pixels.bytes.map { 255 - $0 }, shape: picture.pixels.shape))
  }
}
