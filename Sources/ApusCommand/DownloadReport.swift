import Apus
import Foundation
import Synchronization

/// Tells on standard error which file is coming in, and on a terminal how far it is.
enum DownloadReport {
  static func downloader() -> Downloader {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let last = Mutex((file: "", percent: -1))
    return Downloader { progress in
      let percent = progress.totalByteCount.map { $0 > 0 ? 100 * progress.receivedByteCount / $0 : 100 } ?? -1
      last.withLock { last in
        if progress.file != last.file {
          writeToStandardError("downloading \(progress.file)", terminator: isTerminal ? "" : "\n")
        } else if percent == last.percent {
          return
        }
        last = (progress.file, percent)
        if isTerminal, percent >= 0 {
          writeToStandardError(
            "\rdownloading \(progress.file) \(percent) %", terminator: percent == 100 ? "\n" : "")
        }
      }
    }
  }
}
