#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Prints how training goes, in Keras's style.
///
/// On a terminal a bar is redrawn in place:
/// `120/469 ━━━━━━━━━━━━━━━━━━━━ 4s 12ms/step - accuracy: 0.9123 - loss: 0.2811`;
/// elsewhere there is one line an epoch and no control character.
public final class ProgressBar: Callback {
  public enum Style: Sendable, Hashable {
    /// A bar on a terminal, else lines.
    case automatic
    case bar
    /// One line an epoch.
    case lines
    case none
  }

  private static let width = 20
  /// Seconds between two drawings.
  private static let interval = 0.05

  private let drawsBar: Bool
  private let columns: () -> Int?
  private let write: (String) -> Void
  private var schedule: TrainingEvent.Schedule?
  private var progress: TrainingEvent.Progress?
  private var lastDrawing = -Double.infinity
  /// Characters on the bar's line; 0 when there is none.
  private var lastLength = 0

  /// `nil` for style `none`.
  ///
  /// - Parameters:
  ///   - columns: width of the terminal, `nil` where it is not known; asked at each drawing.
  ///   - write: where the text goes; standard output when not given.
  public init?(
    _ style: Style = .automatic, columns: @escaping () -> Int? = terminalColumns,
    write: @escaping (String) -> Void = writeToStandardOutput
  ) {
    switch style {
    case .none: return nil
    case .automatic: drawsBar = standardOutputIsTerminal
    case .bar: drawsBar = true
    case .lines: drawsBar = false
    }
    self.columns = columns
    self.write = write
  }

  public func handle(_ event: TrainingEvent, in trainer: Trainer) {
    handle(event)
    if case .trainingEnded = event, let note = trainer.divergence { write("note: \(note)\n") }
  }

  func handle(_ event: TrainingEvent) {
    switch event {
    case .trainingBegan(let schedule): self.schedule = schedule
    case .epochBegan(let epoch):
      progress = nil
      lastDrawing = -Double.infinity
      lastLength = 0
      if drawsBar, let last = schedule?.epochs.upperBound, last > 1 { write("Epoch \(epoch)/\(last)\n") }
    case .progress(let progress):
      self.progress = progress
      guard drawsBar, progress.seconds - lastDrawing >= Self.interval else { return }
      lastDrawing = progress.seconds
      // Cut to the terminal: of a line that wraps, only the last part would be drawn over.
      let line = line(progress, values: progress.result.named, isDone: false)
      draw(String(line.prefix(columns().map { max($0 - 1, 1) } ?? line.count)))
    case .epochEnded(let epoch):
      guard let progress else { return }
      if drawsBar {
        draw(line(progress, values: epoch.values, isDone: true) + Self.inputWait(epoch))
        endLine()
      } else {
        let count = schedule?.epochs.upperBound ?? epoch.epoch
        let counter = "\(progress.step)/\(progress.stepsPerEpoch)"
        write(
          "Epoch \(epoch.epoch)/\(count): \(counter) - \(timing(progress, isDone: true, separator: " - "))"
            + "\(Self.text(epoch.values))\(Self.inputWait(epoch))\n")
      }
    case .trainingEnded(let wasStopped):
      endLine()
      if wasStopped { write("Stopped.\n") }
    }
  }

  /// An error ends the training without an event; its message must not stand behind the bar.
  deinit { endLine() }

  /// Ends the line that the bar stands on, if there is one.
  private func endLine() {
    if lastLength > 0 { write("\n") }
    lastLength = 0
  }

  /// Redraws the line; a longer one before it is blanked.
  private func draw(_ line: String) {
    write("\r" + line + String(repeating: " ", count: max(lastLength - line.count, 0)))
    lastLength = line.count
  }

  private func line(_ progress: TrainingEvent.Progress, values: [String: Double], isDone: Bool) -> String {
    let total = String(progress.stepsPerEpoch)
    let step = String(progress.step)
    let counter = String(repeating: " ", count: total.count - step.count) + step + "/" + total
    let filled = Self.width * progress.step / progress.stepsPerEpoch
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: Self.width - filled)
    return "\(counter) \(bar) \(timing(progress, isDone: isDone, separator: " "))\(Self.text(values))"
  }

  /// Time left, or taken when done, and the time of a step: `4s 12ms/step`.
  private func timing(_ progress: TrainingEvent.Progress, isDone: Bool, separator: String) -> String {
    let perStep = progress.seconds / Double(max(progress.step, 1))
    let time = isDone ? progress.seconds : perStep * Double(progress.stepsPerEpoch - progress.step)
    return Self.clock(time) + separator + Self.pace(perStep) + "/step"
  }

  /// `4s`, `1:05`, `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if whole >= 3600 { return "\(whole / 3600):\(padded(whole / 60 % 60)):\(padded(whole % 60))" }
    return whole >= 60 ? "\(whole / 60):\(padded(whole % 60))" : "\(whole)s"
  }

  /// `2s`, `12ms`, `640us`.
  static func pace(_ seconds: Double) -> String {
    if seconds >= 1 { return "\(Int(seconds.rounded()))s" }
    if seconds >= 1e-3 { return "\(Int((seconds * 1e3).rounded()))ms" }
    return "\(Int((seconds * 1e6).rounded()))us"
  }

  private static func text(_ values: [String: Double]) -> String {
    // As in Keras: by name, those of validation behind.
    let names = values.keys.sorted { ($0.hasPrefix("val_") ? 1 : 0, $0) < ($1.hasPrefix("val_") ? 1 : 0, $1) }
    return names.map { " - \($0): \(formatted(values[$0]!))" }.joined()
  }

  /// Said only where the device had to wait long enough for someone to do something about it.
  private static func inputWait(_ epoch: History.Epoch) -> String {
    guard let wait = epoch.inputWaitSeconds, wait > 0.02 * epoch.seconds else { return "" }
    return " - input_wait: \(pace(wait))"
  }

  /// Four decimals; very small and very large values as `1.2345e-04`.
  static func formatted(_ value: Double) -> String {
    value == 0 || (abs(value) > 1e-3 && abs(value) < 1e7) ? value.formatted("%.4f") : value.formatted("%.4e")
  }
}

extension Evaluation {
  fileprivate var named: [String: Double] { metrics.merging(["loss": loss]) { $1 } }
}

extension Double {
  /// The value in one of C's formats for a double.
  func formatted(_ format: String) -> String {
    withVaList([self]) { arguments in
      var buffer = [CChar](repeating: 0, count: 400)
      let count = Int(vsnprintf(&buffer, buffer.count, format, arguments))
      return String(
        decoding: buffer.prefix(max(min(count, buffer.count - 1), 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }
}
