import Apus
import ApusCore

/// Where a training run leaves its files.
enum RunFolder {
  /// Makes the folder before the training starts, so that a bad name costs no time: `path`, or else `runs/NAME-N` with
  /// the first number that is free.
  static func create(_ path: String?, for data: DataName) throws -> String {
    try reportingOutput {
      if let path {
        try FilePath.createFolder(path)
        return path
      }
      var number = 1
      while FilePath.exists("runs/\(data.name)-\(number)") { number += 1 }
      let folder = "runs/\(data.name)-\(number)"
      try FilePath.createFolder(folder)
      return folder
    }
  }

  static func save(_ trainer: Trainer, _ configuration: RunConfiguration, to folder: String) throws {
    try reportingOutput { try Run.save(trainer, configuration, to: folder) }
  }

  /// A file that cannot be written is an error of output, whatever the system's reason.
  private static func reportingOutput<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as FileError {
      throw CommandError(.inputOutput, "\(error); choose another folder with --output")
    }
  }
}
