import Apus
import ArgumentParser

/// `apus devices`
struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Lists the devices on which networks can be trained.")

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let devices = availableDevices()
    if json { return try printJSON(devices, isIndented: true) }
    printTable(
      [["DEVICE", "KIND", "UNITS", "MEMORY", "NAME", "DRIVER"]]
        + devices.map {
          [$0.identifier, $0.kind.rawValue, "\($0.computeUnits)", $0.memoryBytes.formattedBytes, $0.name, $0.driver]
        })
  }
}
