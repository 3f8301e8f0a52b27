import Apus
import ArgumentParser

/// `apus evaluate`
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Measures a trained network on a data set's test pictures.")

  @Argument(help: ArgumentHelp("The folder that `apus train` left.", valueName: "run"))
  var folder: String

  @Argument(help: "mnist, cifar10, or digits, which the program draws itself.", transform: DataName.init(parsing:))
  var data: DataName

  @OptionGroup var deviceOption: DeviceOption

  @OptionGroup var dataOption: DataOption

  @Option(help: ArgumentHelp("Pictures in a step.", valueName: "n"))
  var batchSize = 128

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws { try requireCount(batchSize, "--batch-size") }

  func run() throws {
    let trained = try Run.load(folder)
    let pictures = try data.load(.test, folder: dataOption.folder)
    guard pictures.imageShape == trained.configuration.inputShape else {
      throw CommandError(
        .badData,
        "\(folder): the network was trained on \(trained.configuration.dataset), pictures "
          + "\(trained.configuration.inputShape.shapeDescription); those of \(pictures.name) are "
          + "\(pictures.imageShape.shapeDescription)")
    }
    let trainer = try trained.makeTrainer(device: deviceOption.chosen())
    let result = try trainer.evaluate(pictures, batchSize: batchSize)
    if json { return try printJSON(result) }
    if let note = pictures.note { print("note: \(note)") }
    print("\(pictures.name), \(pictures.count) test pictures: \(result.line)")
  }
}
