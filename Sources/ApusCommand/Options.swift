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

/// - Throws: `ValidationError` unless `value` can be a number of epochs, steps or pictures.
func requireCount(_ value: Int, _ option: String) throws {
  guard (1...Int(Int32.max)).contains(value) else {
    throw ValidationError("\(option) must be at least 1 and at most \(Int32.max), not \(value).")
  }
}
