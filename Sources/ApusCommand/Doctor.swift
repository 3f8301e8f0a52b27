import Apus
import ArgumentParser
import Foundation

/// `apus doctor`
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks the kernels of each device, or of the one named, against the reference implementation.",
    discussion: "Ends with 0 when every device computes what it should, else with 69.")

  @OptionGroup var deviceOption: DeviceOption

  @Flag(help: "Print JSON.")
  var json = false

  /// One device's outcome.
  private struct Report: Encodable {
    var device: String
    var name: String
    /// Why the device could not be opened.
    var error: String?
    var families: [SelfTest.Result] = []

    var passed: Bool { error == nil && families.allSatisfy(\.passed) }
  }

  func run() throws {
    let reports = try checkedDevices()
    if json { try printJSON(reports, isIndented: true) }
    let failed = reports.filter { !$0.passed }.map(\.device)
    guard failed.isEmpty else {
      throw CommandError(
        .unavailable,
        "\(failed.joined(separator: ", ")): wrong or no results (see above); update the driver or use another --device")
    }
  }

  private func checkedDevices() throws -> [Report] {
    let reference = try Device.reference.openSession()
    let device = try deviceOption.chosen()
    if device == .automatic {
      return availableDevices().map { description in
        check(description, against: reference) { try Device(parsing: description.identifier).openSession() }
      }
    }
    let session = try device.openSession()
    return [check(session.device, against: reference) { session }]
  }

  private func check(
    _ device: DeviceDescription, against reference: any Session, open: () throws -> any Session
  ) -> Report {
    var report = Report(device: device.identifier, name: device.name)
    show("\(device.identifier): \(device.name), \(device.driver)")
    do {
      let session = try open()
      for family in SelfTest.Family.allCases {
        let result = SelfTest.run(on: session, against: reference, families: [family])[0]
        report.families.append(result)
        show(result)
      }
    } catch {
      report.error = "\(error)"
      show("  FAIL  \(error)")
    }
    return report
  }

  /// Prints at once: a driver that crashes must not take the lines before with it.
  private func show(_ line: String) {
    if !json { writeToStandardOutput(line + "\n") }
  }

  private static let nameLength = SelfTest.Family.allCases.map(\.rawValue.count).max()!

  private func show(_ result: SelfTest.Result) {
    let family = result.family.rawValue.padding(toLength: Self.nameLength, withPad: " ", startingAt: 0)
    let error = String(format: "%.1e", result.worstError)
    show("  \(result.passed ? "pass" : "FAIL")  \(family) \(result.caseCount) cases, largest relative error \(error)")
    for failure in result.failures { show("        \(failure)") }
  }
}
