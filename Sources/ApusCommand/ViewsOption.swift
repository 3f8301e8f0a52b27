import Apus
import ArgumentParser

/// `--test-time-augmentation`
struct ViewsOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Average what the network says of several views of each picture: flip, or shift:N.",
      discussion: "flip: it and its mirror image. shift:N: both, moved by N pixels in each direction, too: 18 views.",
      valueName: "views"),
    transform: { text in
      if text == "flip" { return .flip }
      let fields = text.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 2, fields[0] == "shift", let pixels = Int(fields[1]), (1...1000).contains(pixels) else {
        throw ValidationError("'\(text)' are no views; choose flip, or shift:4 for 4 pixels.")
      }
      return .shift(pixels)
    })
  var testTimeAugmentation: TestTimeAugmentation?
}
