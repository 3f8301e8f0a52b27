import Apus

/// Says where pictures do not look like those that a network was trained on: of each kind the first one by its name, and
/// how many more there are.
struct LooksOfPictures {
  private let statistics: PictureStatistics?
  /// Whether something was done to the pictures that a hint would name.
  private let isPrepared: Bool
  private var counts: [PictureStatistics.Difference: Int] = [:]

  init(_ statistics: PictureStatistics?, isPrepared: Bool) {
    (self.statistics, self.isPrepared) = (statistics, isPrepared)
  }

  /// What is odd about a picture; said on standard error for the first of its kind.
  mutating func examine(_ picture: Image, name: String) -> String? {
    let difference =
      statistics?.difference(of: picture.pixels) ?? (PictureStatistics.isPlain(picture.pixels) ? .plain : nil)
    guard let difference else { return nil }
    let text = text(difference)
    if counts[difference, default: 0] == 0 { writeToStandardError("note: \(name): \(text)") }
    counts[difference, default: 0] += 1
    return text
  }

  /// Tells how many more there are.
  func finish() {
    for (difference, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where count > 1 {
      writeToStandardError("note: \(count - 1) more: \(text(difference))")
    }
  }

  private func text(_ difference: PictureStatistics.Difference) -> String {
    func hint(_ text: String) -> String { isPrepared ? "" : "; \(text)" }
    return switch difference {
    case .plain: "the picture has one plain colour"
    case .brightGround:
      "its ground is bright, that of the training pictures dark"
        + hint("--prepare digit cuts a digit out of its ground, --invert swaps dark and light")
    case .darkGround:
      "its ground is dark, that of the training pictures bright"
        + hint("--invert swaps dark and light")
    case .bright: "it is much brighter than the training pictures"
    case .dark: "it is much darker than the training pictures"
    }
  }
}
