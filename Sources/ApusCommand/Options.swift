import Apus
import ArgumentParser

/// `--device`, or the environment variable `APUS_DEVICE`.
struct DeviceOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "auto, cpu, opencl, opencl:N, opencl:gpu, opencl:cpu or opencl:NAME; `apus devices` lists them.",
      discussion: "The environment variable APUS_DEVICE means the same. Without either: auto.", valueName: "device"),
    transform: { try Device(parsing: $0) })
  var device: Device?

  /// The device that was asked for.
  func chosen() throws -> Device {
    if let device { return device }
    do {
      return try Device.fromEnvironment()
    } catch {
      throw CommandError(.usage, "APUS_DEVICE: \(error)")
    }
  }
}

/// All devices; what this machine lacks for more or faster ones is a note on standard error.
func availableDevices() -> [DeviceDescription] {
  Device.noteMissingLibrary()
  do {
    return try Device.all()
  } catch {
    writeToStandardError("note: \(error)")
    return [Device.processor]
  }
}

/// `--data-dir`: where data sets are looked for.
struct DataOption: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp(
      "The folder with the data set's files; an empty one has them downloaded into it.",
      discussion: """
        The environment variable APUS_DATA_DIR means the same. A folder that is named is used, or it is an error. \
        Without either: the user's cache.
        """, valueName: "folder"))
  var folder: String?
}

/// A data set by the name that users type.
enum DataName: String, CaseIterable {
  case mnist, cifar10, digits

  /// - Throws: `ValidationError` that lists the names.
  init(parsing text: String) throws {
    guard let name = DataName(rawValue: text.lowercased()) else {
      throw ValidationError(
        "'\(text)' is not a data set; use mnist, cifar10 or digits. Folders of pictures cannot be read yet.")
    }
    self = name
  }

  /// Name of the network that fits the pictures, unless another is asked for.
  var defaultModel: String {
    switch self {
    case .mnist, .digits: "tutorial-mnist"
    case .cifar10: "tutorial-cifar"
    }
  }

  /// Reads one part, downloading it where it is not found.
  func load(_ part: DatasetPart, folder: String?) throws -> ImageDataset {
    if self == .digits, let folder {
      throw CommandError(.usage, "--data-dir \(folder) does not go with digits, which the program draws; leave it out")
    }
    let locator = DataLocator(folder: folder)
    let downloader = DownloadReport.downloader()
    switch self {
    case .mnist: return try MNIST.load(part, from: locator, downloader: downloader)
    case .cifar10: return try CIFAR10.load(part, from: locator, downloader: downloader)
    case .digits: return try part == .train ? Digits.train() : Digits.test()
    }
  }
}

/// - Throws: `ValidationError` unless `value` can be a number of epochs, steps or pictures.
func requireCount(_ value: Int, _ option: String) throws {
  guard (1...Int(Int32.max)).contains(value) else {
    throw ValidationError("\(option) must be at least 1 and at most \(Int32.max), not \(value).")
  }
}
