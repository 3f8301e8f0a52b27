package import ApusCore
import Foundation

/// The file in which the choices of `apus tune` are kept, one for each device, driver and set of kernels.
package struct TuningFile: Codable {
  private static let currentFormat = 1

  private var format = currentFormat
  private let device: String
  private let driver: String
  private let kernels: String
  /// Names of schedules by problem.
  private(set) var schedules: [String: String] = [:]

  private init(at place: TuningPlace) {
    (device, driver, kernels) = (place.device, place.driver, place.kernels)
  }

  /// The choices kept at `place`; none where there is no file.
  ///
  /// - Throws: `TuningFileError` for a file that is damaged or of another device.
  package static func schedules(at place: TuningPlace) throws -> [String: String] {
    func failure(_ reason: String) -> TuningFileError {
      TuningFileError(description: "\(place.path): \(reason); `apus tune` makes it anew")
    }
    let bytes: [UInt8]
    do {
      guard let contents = try File.contents(of: place.path, maximumByteCount: 1 << 24) else {
        throw failure("more than 16 MB are no file of tunings")
      }
      bytes = contents
    } catch let error as FileError where error.isNotFound {
      return [:]
    }
    guard let file = try? JSONDecoder().decode(TuningFile.self, from: Data(bytes)) else {
      throw failure("not a file of tunings, or a damaged one")
    }
    guard file.format == currentFormat else {
      throw failure("its format is \(file.format), this program reads \(currentFormat)")
    }
    guard file.device == place.device, file.driver == place.driver, file.kernels == place.kernels else {
      throw failure("tuned for \(file.device) (\(file.driver)) or for other kernels")
    }
    return file.schedules
  }

  /// Adds choices to those that are kept, and takes the places of earlier ones. A file that cannot be read is replaced.
  ///
  /// - Parameters:
  ///   - problems: what was tuned; those without a choice are left to the device's own schedules.
  package static func merge(
    _ choices: [String: String], problems: some Sequence<String>, at place: TuningPlace
  ) throws {
    var file = TuningFile(at: place)
    file.schedules = (try? schedules(at: place)) ?? [:]
    for problem in problems { file.schedules[problem] = choices[problem] }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(file)
    try FilePath.createFolder(FilePath.split(place.path).folder)
    try AtomicFile.write([UInt8](data), to: place.path)
  }
}

/// Why kept choices are not used.
package struct TuningFileError: Error, CustomStringConvertible {
  package let description: String
}

extension TunableSession {
  /// Takes over the choices that are kept for the device; a note where they cannot be read. `APUS_TUNING=off` does
  /// without them.
  func loadTuning(note: (String) -> Void) {
    guard ProcessInfo.processInfo.environment["APUS_TUNING"] != "off" else { return }
    do {
      guard let place = try tunable.tuningPlace() else { return }
      tunable.schedules = try TuningFile.schedules(at: place)
    } catch {
      note("tunings are not used: \(error)")
    }
  }
}
