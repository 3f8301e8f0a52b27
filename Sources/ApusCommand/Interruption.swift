import Foundation
import Synchronization

/// Ctrl-C or a request to terminate: the first asks for an orderly end, the second ends the process at once.
enum Interruption {
  private static let count = Atomic(0)
  private static let notice: StaticString = "\napus: ending after this step; again to end at once\n"

  /// Whether the work should end after the current step.
  static var isPending: Bool { count.load(ordering: .relaxed) > 0 }

  /// Catches the signals from now on.
  static func catchSignals() {
    // A first access makes the counter; that must not happen in a signal handler.
    _ = isPending
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        // Only what is allowed in a signal handler: atomics, `write`, `_exit`.
        if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
        _ = write(STDERR_FILENO, Interruption.notice.utf8Start, Interruption.notice.utf8CodeUnitCount)
      }
    }
  }
}
