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
struct DataName {
  private let data: PublishedDataset

  /// - Throws: `ValidationError` that lists the names.
  init(parsing text: String) throws {
    do {
      data = try PublishedDatasets.catalog.part(named: text.lowercased())
    } catch {
      throw ValidationError(
        "'\(text)' is not a data set; use \(error.known.dropLast().joined(separator: ", ")) or \(error.known.last!). "
          + "Folders of pictures cannot be read yet.")
    }
  }

  /// As runs have it.
  var name: String { data.name }
  /// Name of the network that fits the pictures, unless another is asked for.
  var defaultModel: String { data.model }

  /// Reads one part, downloading it where it is not found.
  func load(_ part: DatasetPart, folder: String?) throws -> ImageDataset {
    if let folder, !data.hasFiles {
      throw CommandError(.usage, "--data-dir \(folder) does not go with \(name), which the program draws; leave it out")
    }
    return try data.load(part, DataLocator(folder: folder), DownloadReport.downloader())
  }
}

/// - Throws: `ValidationError` unless `value` can be a number of epochs, steps or pictures.
func requireCount(_ value: Int, _ option: String) throws {
  guard (1...Int(Int32.max)).contains(value) else {
    throw ValidationError("\(option) must be at least 1 and at most \(Int32.max), not \(value).")
  }
}
