import Apus
import ApusCore
import ArgumentParser
import Foundation

/// `apus predict`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a trained network sees in pictures.",
    discussion: """
      PNG and JPEG; pictures are turned upright and brought to what the network takes, as those that it was trained \
      on. MNIST's digits are white on \
      black: use --invert for dark ink on paper. A picture that cannot be read does not keep the others from their results; \
      the program then ends with the status of the first such.
      """)

  @Argument(help: ArgumentHelp("The folder that `apus train` left.", valueName: "run"))
  var folder: String

  @Argument(help: "PNG or JPEG files.")
  var images: [String]

  @Option(help: ArgumentHelp("How many classes to print, most probable first.", valueName: "k"))
  var top = 5

  @Flag(help: "Swap dark and light.")
  var invert = false

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
  }

  func validate() throws { try requireCount(top, "--top") }

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
    var trainer: Trainer?
    var predictions: [Prediction] = []
    var firstFailure: ExitStatus?
    for start in stride(from: 0, to: images.count, by: Self.chunk) {
      var paths: [String] = []
      var pixels: [UInt8] = []
      for path in images[start..<min(start + Self.chunk, images.count)] {
        do {
          pixels += try decode(path, shape: shape, preparation)
          paths.append(path)
        } catch {
          reportError(error)
          firstFailure = firstFailure ?? ExitStatus(error)
        }
      }
      if paths.isEmpty { continue }
      let predictor = try trainer ?? trained.makeTrainer(device: deviceOption.chosen())
      predictor.testTimeAugmentation = views.testTimeAugmentation
      trainer = predictor
      let probabilities = try predictor.probabilities(
        NDArray(pixels, shape: [paths.count] + shape), batchSize: Self.chunk
      ).doubles
      if let index = probabilities.firstIndex(where: { !$0.isFinite }) {
        throw CommandError(
          .badData,
          "\(paths[index / trained.configuration.classNames.count]): the probabilities are not numbers: either the "
            + "weights in \(folder) are not, or \(predictor.device.identifier) (\(predictor.device.name)) gives wrong "
            + "results: `apus doctor` checks it")
      }
      let rows = ranked(probabilities, of: paths, names: trained.configuration.classNames)
      if json { predictions += rows } else { rows.forEach(print) }
    }
    if json { try printJSON(predictions, isIndented: true) }
    if let firstFailure { throw ExitCode(firstFailure.rawValue) }
  }

  /// Pictures that are in memory at a time.
  private static let chunk = 32

  private func ranked(_ probabilities: [Double], of paths: [String], names: [String]) -> [Prediction] {
    paths.enumerated().map { index, path in
      let row = probabilities[(index * names.count)..<((index + 1) * names.count)]
      let ranked = zip(names, row).sorted { $0.1 > $1.1 }.prefix(top)
      return Prediction(
        image: FilePath.printable(path), classes: ranked.map { .init(name: $0.0, probability: $0.1) })
    }
  }

  private func print(_ prediction: Prediction) {
    Swift.print(prediction.image)
    printTable(prediction.classes.map { [String(format: "  %.4f", $0.probability), $0.name] })
  }

  /// The picture's pixels as the network was shown others, at `shape`: height, width, channels.
  private func decode(_ path: String, shape: [Int], _ preparation: PicturePreparation) throws -> [UInt8] {
    let pixels = try preparation.picture(at: path, shape: shape).pixels.values(as: UInt8.self)
    return invert ? pixels.map { 255 - $0 } : pixels
  }
}
