import Apus
import ApusCore
import ArgumentParser

/// `apus evaluate`
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a trained network on a data set's test pictures, or on a folder's.")

  @Argument(help: ArgumentHelp("The folder that `apus train` left.", valueName: "run"))
  var folder: String

  @Argument(help: ArgumentHelp(DataName.help, valueName: "data"), transform: DataName.init(parsing:))
  var data: DataName

  @OptionGroup var deviceOption: DeviceOption

  @OptionGroup var dataOption: DataOption

  @OptionGroup(title: "Options for a folder of pictures") var pictureOptions: PictureOptions

  @OptionGroup var views: ViewsOption

  @Option(
    help: ArgumentHelp(
      "digit: each picture of a folder shows one handwritten digit, which is cut out as in MNIST.",
      valueName: "subject"), transform: choice)
  var prepare: PictureSubject?

  @Option(help: ArgumentHelp("Pictures in a step.", valueName: "n"))
  var batchSize = 128

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try requireCount(batchSize, "--batch-size")
    let given = pictureOptions.given + (prepare == nil ? [] : ["--prepare"])
    if case .published = data, let option = given.first {
      throw ValidationError("\(option) goes with a folder of pictures, not with \(data.name).")
    }
  }

  func run() throws {
    let trained = try Run.load(folder)
    let device = try deviceOption.chosen()
    let pictures: Pictures =
      switch data {
      case .published(let entry):
        // Another data set is not what the network knows, whatever its size.
        try Pictures.load(
          entry, .test, from: dataOption,
          shape: entry.name == trained.configuration.dataset ? trained.configuration.inputShape : nil, on: device)
      case .folder(let path):
        try FolderPlan(path, pictureOptions, run: trained.configuration, subject: prepare).loadTest()
      }
    guard pictures.imageShape == trained.configuration.inputShape else {
      throw CommandError(
        .badData,
        "\(folder): the network was trained on \(trained.configuration.dataset), pictures "
          + "\(trained.configuration.inputShape.shapeDescription); those of \(pictures.name) are "
          + "\(pictures.imageShape.shapeDescription)")
    }
    let trainer = try trained.makeTrainer(device: device)
    trainer.testTimeAugmentation = views.testTimeAugmentation
    let result = try trainer.evaluate(pictures.data, batchSize: batchSize)
    let identity = pictures.identity
    let notes =
      pictures.notes
      + [difference(of: trained, from: identity), PictureParts(training: pictures).badPictureNote].compactMap { $0 }
    if json {
      for note in notes { writeToStandardError("note: \(note)") }
      return try printJSON(Report(evaluation: result, data: identity, source: pictures.source))
    }
    for note in notes { print("note: \(note)") }
    print("\(pictures.name), \(pictures.count) test pictures, \(pictures.origin): \(result.line)")
  }

  /// An evaluation, and of what.
  private struct Report: Encodable {
    enum CodingKeys: String, CodingKey { case data, source }

    var evaluation: Evaluation
    var data: DataIdentity
    var source: String

    func encode(to encoder: any Encoder) throws {
      try evaluation.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(data, forKey: .data)
      try container.encode(FilePath.printable(source), forKey: .source)
    }
  }

  /// What to say where the run was tested on other pictures.
  private func difference(of run: Run, from data: DataIdentity) -> String? {
    if run.configuration.dataset != self.data.name {
      return "\(folder) was trained on \(run.configuration.dataset); these are others: \(data)"
    }
    guard let tested = run.configuration.testData, !tested.hasSameContents(as: data) else { return nil }
    return "\(folder) was tested on other pictures: \(tested); these are \(data)"
  }
}
