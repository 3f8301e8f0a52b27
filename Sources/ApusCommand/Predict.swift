import Apus
import ArgumentParser
import Foundation

/// `apus predict`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a trained network sees in pictures.",
    discussion: """
      PNG and JPEG; pictures are resized to what the network takes. MNIST's digits are white on black: use --invert for \
      dark ink on paper.
      """)

  @Argument(help: ArgumentHelp("The folder that `apus train` left.", valueName: "run"))
  var folder: String

  @Argument(help: "PNG or JPEG files.")
  var images: [String]

  @Option(help: ArgumentHelp("How many classes to print, most probable first.", valueName: "k"))
  var top = 5

  @Flag(help: "Swap dark and light.")
  var invert = false

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
    let pixels = try images.flatMap { try decode($0, shape: shape) }
    let trainer = try trained.makeTrainer(device: deviceOption.chosen())
    let batch = NDArray(pixels, shape: [images.count] + shape)
    let probabilities = try trainer.probabilities(batch).doubles
    let names = trained.configuration.classNames
    let predictions = images.enumerated().map { index, image in
      let row = probabilities[(index * names.count)..<((index + 1) * names.count)]
      let ranked = zip(names, row).sorted { $0.1 > $1.1 }.prefix(top)
      return Prediction(image: image, classes: ranked.map { .init(name: $0.0, probability: $0.1) })
    }
    if json { return try printJSON(predictions, isIndented: true) }
    for prediction in predictions {
      print(prediction.image)
      printTable(prediction.classes.map { [String(format: "  %.4f", $0.probability), $0.name] })
    }
  }

  /// The picture's pixels, resized to `shape`: height, width, channels.
  private func decode(_ path: String, shape: [Int]) throws -> [UInt8] {
    let image = try Image(contentsOf: path).resized(toWidth: shape[1], height: shape[0], channels: shape[2])
    let pixels = image.pixels.values(as: UInt8.self)
    return invert ? pixels.map { 255 - $0 } : pixels
  }
}
