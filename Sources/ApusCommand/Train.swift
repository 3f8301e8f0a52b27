import Apus
import ApusCore
import ArgumentParser
import Foundation

/// `apus train`
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network and leaves its weights, configuration and history in a folder.",
    discussion: "Ctrl-C ends after the current step and saves; a second one ends at once.")

  @Argument(help: ArgumentHelp(DataName.help, valueName: "data"), transform: DataName.init(parsing:))
  var data: DataName

  @Option(
    help: """
      The network (default: tutorial-mnist; for CIFAR tutorial-cifar; for a folder resnet18, or tutorial-cifar where \
      pictures are small, or tutorial-mnist with --prepare digit).
      """)
  var model: ModelName?

  @OptionGroup var deviceOption: DeviceOption

  @Option(help: ArgumentHelp("How often to go through the data; with --resume, how often more.", valueName: "n"))
  var epochs = 5

  @Option(help: ArgumentHelp("Pictures in a step (default: 32).", valueName: "n"))
  var batchSize: Int?

  @OptionGroup var optimization: OptimizationOptions

  @OptionGroup var augmentation: AugmentationOption

  @Option(
    help: ArgumentHelp(
      "Leave the parameters of that path as they are; * stands for any letters: 'conv2d*'.", valueName: "pattern"))
  var freeze: String?

  @Option(help: ArgumentHelp("With --resume: train what was frozen before.", valueName: "pattern"))
  var unfreeze: String?

  @Option(
    help: ArgumentHelp(
      "Share of the training data to validate on: its last part; of a folder the same share of each class (default for "
        + "a folder without val: 0.2).", valueName: "fraction"))
  var validationSplit: Double?

  @Option(help: ArgumentHelp("Of initial weights, order and dropout (default: 0).", valueName: "n"))
  var seed: UInt64?

  @Option(help: "Type of numbers.")
  var precision = PrecisionName.float32

  @OptionGroup var dataOption: DataOption

  @OptionGroup(title: "Options for a folder of pictures") var pictures: PictureOptions

  @OptionGroup(title: "Options for a folder of pictures") var shape: PictureShapeOptions

  @Option(
    help: ArgumentHelp(
      "Where the pictures lie; the results are the same.",
      discussion: "device: all in its memory. host: sent while it computes. auto: device, if they take little of it."))
  var dataOn = PlacementName.auto

  @Option(
    help: ArgumentHelp(
      "The folder for the results; those of an earlier run in it are replaced (default: a new one in runs).",
      valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Go on where this run ended, with its network, optimizer and settings; results go there too.", valueName: "run"))
  var resume: String?

  @Flag(help: "With --resume: go on although the training data are not those that the run was trained on.")
  var otherData = false

  @Flag(help: "Print only the results, and where the data are from.")
  var quiet = false

  func validate() throws {
    try requireCount(epochs, "--epochs")
    if let batchSize { try requireCount(batchSize, "--batch-size") }
    if let validationSplit, !(validationSplit >= 0 && validationSplit < 1) {
      throw ValidationError("--validation-split must be at least 0 and less than 1, not \(validationSplit).")
    }
    try precision.validate()
    let fixed =
      (model == nil ? [] : ["--model"]) + optimization.given + (seed == nil ? [] : ["--seed"])
      + (augmentation.augment == nil ? [] : ["--augment"])
    if resume != nil, let option = fixed.first {
      throw ValidationError("\(option) does not go with --resume: a run goes on with its own.")
    }
    if unfreeze != nil && resume == nil { throw ValidationError("--unfreeze goes with --resume.") }
    if otherData && resume == nil { throw ValidationError("--other-data goes with --resume.") }
    if case .published = data, let option = (pictures.given + shape.given).first(where: { $0 != "--input" }) {
      throw ValidationError("\(option) goes with a folder of pictures, not with \(data.name).")
    }
    if resume != nil, let option = shape.given.first(where: { !["--balance", "--cache"].contains($0) }) {
      throw ValidationError("\(option) does not go with --resume: a run goes on with its own.")
    }
  }

  func run() throws {
    if quiet { ProgressLine.begin(on: nil) }
    let device = try deviceOption.chosen()
    // Before the data, which may have to be downloaded.
    let earlier = try resume.map(earlierRun)
    let parts = try load(for: earlier?.configuration, on: device)
    let training = parts.training
    if let earlier { try requireSameData(earlier, training.identity) }
    var (trainer, configuration) =
      try earlier.map { try resumed($0, on: device) } ?? makeTrainer(for: training, on: device)
    configuration.trainingData = training.identity
    configuration.testData = parts.test?.identity
    // Pictures in memory take no time.
    configuration.pictureStatistics = try PictureStatistics(
      of: training.data, most: training.data is ImageDataset ? 1000 : 100)
    let folder = try RunFolder.create(output ?? resume, for: data)
    trainer.dataPlacement = dataOn.placement
    try changeFreezing(of: trainer.model)
    report(parts, trainer)

    Interruption.catchSignals()
    CallWatch.advise(
      resume.map { "go on from the last checkpoint with --resume \($0)" } ?? "no checkpoint was saved before this")
    trainer.shouldStop = { Interruption.isPending }
    let split: Validation = configuration.validationSplit.map { $0 == 0 ? .none : .split($0) } ?? .none
    try trainer.fit(
      training.data, epochs: epochs, batchSize: configuration.batchSize,
      validation: parts.validation.map { .data($0.data) } ?? (training.folder == nil ? split : .none),
      augmentation: configuration.augmentation,
      progress: quiet ? .none : .automatic)
    if quiet, let note = trainer.divergence { writeToStandardOutput("note: \(note)\n") }
    if !trainer.wasStopped, let test = parts.test {
      let result = try trainer.test(test.data, batchSize: configuration.batchSize)
      writeToStandardOutput("test: \(result.line)\n")
    }
    for note in [parts.badPictureNote, parts.cacheNote].compactMap({ $0 }) { writeToStandardOutput("note: \(note)\n") }
    try RunFolder.save(trainer, configuration, to: folder)
    CallWatch.advise("the results are in \(folder)")
    writeToStandardOutput("results are in \(folder)\n")
    if trainer.wasStopped {
      throw CommandError(
        .interrupted, "interrupted after step \(trainer.step); the weights so far are saved in \(folder)")
    }
  }

  /// What is trained, validated and tested on.
  ///
  /// - Parameter run: the one that goes on, which knows its pictures' shape and classes.
  private func load(for run: RunConfiguration?, on device: Device) throws -> PictureParts {
    switch data {
    case .published(let entry):
      let imageShape = run?.inputShape ?? shape.input?.sizes
      return PictureParts(
        training: try Pictures.load(entry, .train, from: dataOption, shape: imageShape, on: device),
        test: try Pictures.load(entry, .test, from: dataOption, shape: imageShape, on: device))
    case .folder(let path):
      if dataOption.folder != nil { throw CommandError(.usage, "--data-dir does not go with a folder of pictures.") }
      let plan = try FolderPlan(path, pictures, shape, model: model?.name, run: run)
      return try plan.load(validationSplit: validationSplit ?? run?.validationSplit, seed: run?.seed ?? seed ?? 0)
    }
  }

  private func makeTrainer(for data: Pictures, on device: Device) throws -> (Trainer, RunConfiguration) {
    let name = model?.name ?? data.defaultModel
    let seed = seed ?? 0
    let network: Sequential
    do {
      network = try Models.make(name, inputShape: data.imageShape, classes: data.classNames.count, seed: seed)
    } catch let error as GraphError {
      throw CommandError(
        .usage, "the network \(name) does not fit \(data.name)'s pictures \(data.imageShape.shapeDescription): \(error)"
      )
    }
    let batchSize = batchSize ?? 32
    // Of a folder what is validated on is cut off already.
    let cut = data.folder == nil ? validationSplit ?? 0 : 0
    let samples = Int((Double(data.count) * (1 - cut)).rounded(.down))
    let (steps, overflow) = ((samples + batchSize - 1) / batchSize).multipliedReportingOverflow(by: epochs)
    let optimization = try optimization.optimization(steps: overflow ? .max : steps)
    let trainer = try Trainer(
      network, optimizer: optimization.optimizer, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy],
      groups: optimization.groups, transforms: optimization.transforms, device: device, seed: seed, modelName: name)
    let configuration = try RunConfiguration(
      model: name, inputShape: data.imageShape, classNames: data.classNames, dataset: self.data.name,
      optimizer: optimization.optimizer, groups: optimization.groups, transforms: optimization.transforms,
      batchSize: batchSize, validationSplit: validationSplit, seed: seed, preparation: data.folder?.preparation,
      augmentation: augmentation.all)
    return (trainer, configuration)
  }

  private func changeFreezing(of model: any Model) throws {
    for (option, pattern, change) in [
      ("--freeze", freeze, model.freeze(_:)), ("--unfreeze", unfreeze, model.unfreeze(_:)),
    ] {
      guard let pattern else { continue }
      do {
        try change(.path(pattern))
      } catch let error as GraphError {
        throw CommandError(.usage, "\(option) \(pattern): \(error.message)")
      }
    }
  }

  /// The run in `folder`, which must have been trained on the same data.
  private func earlierRun(_ folder: String) throws -> Run {
    let run = try Run.load(folder)
    guard run.configuration.dataset == data.name else {
      throw CommandError(
        .usage, "\(folder) was trained on \(run.configuration.dataset); it cannot go on with \(data.name)")
    }
    return run
  }

  /// A run goes on with the data that it had; with others only if it is told to.
  private func requireSameData(_ run: Run, _ data: DataIdentity) throws {
    guard let earlier = run.configuration.trainingData, !earlier.hasSameContents(as: data) else { return }
    let difference = "\(run.folder) was trained on other data: \(earlier); these are \(data)"
    guard otherData else {
      throw CommandError(.badData, "\(difference); name the folder with the former, or go on with --other-data")
    }
    writeToStandardOutput("note: \(difference)\n")
  }

  /// The trainer of an earlier run, ready to go on.
  private func resumed(_ run: Run, on device: Device) throws -> (Trainer, RunConfiguration) {
    var configuration = run.configuration
    configuration.batchSize = batchSize ?? configuration.batchSize
    configuration.validationSplit = validationSplit ?? configuration.validationSplit
    if !configuration.knowsHyperparameters {
      writeToStandardOutput(
        "note: \(run.folder) is an older run that holds the optimizer's name and learning rate alone; it goes on with "
          + "the defaults of \(configuration.optimizer) for all else\n")
    }
    let trainer = try run.resume(device: device)
    if trainer.learningRate == 0 {
      writeToStandardOutput(
        "note: the learning rate of \(run.folder) has come to its end, 0: no weight will change; train a new run with a "
          + "longer schedule\n")
    }
    return (trainer, configuration)
  }

  private func report(_ parts: PictureParts, _ trainer: Trainer) {
    // Said even with --quiet: figures on other data mean something else.
    for note in parts.training.notes { writeToStandardOutput("note: \(note)\n") }
    writeToStandardOutput("\(parts.training.description)\n")
    if quiet { return }
    let device = trainer.device
    writeToStandardOutput("\(trainer.modelName) on \(device.identifier): \(device.name)\n")
  }
}

extension Evaluation {
  /// `loss 0.0312, accuracy 0.9891`
  var line: String {
    let values = [("loss", loss)] + metrics.sorted { $0.key < $1.key }
    return values.map { "\($0) \(String(format: "%.4f", $1))" }.joined(separator: ", ")
  }
}
