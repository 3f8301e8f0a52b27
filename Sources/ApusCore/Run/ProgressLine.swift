import Synchronization

/// A line on a terminal that tells how far a long wait is: `Building kernels: 37 of 112`.
///
/// It is drawn when the wait has taken a second, redrawn in place, and erased when the object goes. Where to draw it is
/// for a program to decide: nothing is drawn until `begin`.
package final class ProgressLine {
  /// Where lines are drawn, and the clock.
  package struct Terminal: Sendable {
    var write: @Sendable (String) -> Void
    var seconds: @Sendable () -> Double

    package init(
      seconds: @escaping @Sendable () -> Double = { ProgressLine.secondsSinceStart },
      write: @escaping @Sendable (String) -> Void
    ) {
      self.write = write
      self.seconds = seconds
    }
  }

  private struct State {
    var terminal: Terminal?
    /// Whether there is a line already, which those of the work inside of it do not replace.
    var isTaken = false
    /// Characters to erase.
    var length = 0
  }

  private static let state = Mutex(State())
  private static let start = ContinuousClock.now
  private static var secondsSinceStart: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Draws lines on `terminal` from now on; with `nil` no more.
  package static func begin(on terminal: Terminal?) { state.withLock { $0.terminal = terminal } }

  /// Leaves the terminal's line as it was, for other words to be written there.
  package static func erase() {
    state.withLock { state in
      if state.length > 0 { state.terminal?.write("\r" + String(repeating: " ", count: state.length) + "\r") }
      state.length = 0
    }
  }

  /// Seconds of a wait that is worth a line, and between two drawings.
  private static let patience = 1.0
  private static let interval = 0.1

  private let terminal: Terminal
  private let what: String
  private let total: Int
  private let start: Double
  private var count = 0
  private var lastDrawing = -Double.infinity

  /// The line of a wait for `total` of what is counted; `nil` where nobody looks, and inside of another wait.
  package init?(_ what: String, total: Int) {
    let terminal = Self.state.withLock { state -> Terminal? in
      guard let terminal = state.terminal, !state.isTaken else { return nil }
      state.isTaken = true
      return terminal
    }
    guard let terminal else { return nil }
    self.terminal = terminal
    self.what = what
    self.total = total
    start = terminal.seconds()
  }

  /// The next one begins.
  package func next() {
    count += 1
    let now = terminal.seconds()
    guard now - start >= Self.patience, now - lastDrawing >= Self.interval else { return }
    lastDrawing = now
    let text = "\(what): \(count) of \(total)"
    Self.state.withLock { $0.length = text.count }
    terminal.write("\r" + text)
  }

  deinit {
    Self.erase()
    Self.state.withLock { $0.isTaken = false }
  }
}
