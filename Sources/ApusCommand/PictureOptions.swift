import Apus
import ApusCore
import ArgumentParser

/// How the pictures of a folder are found and read.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A CSV or JSON file that names pictures and their classes (default: a folder is a class).", valueName: "file"))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "A regular expression for pictures' names, whose first group is the class: '(.+)_[0-9]+[.]jpg'.",
      valueName: "pattern"))
  var labelPattern: String?

  @Option(
    help: ArgumentHelp(
      "What to do with pictures that cannot be read: skip (with a note) or stop.", valueName: "what"),
    transform: choice)
  var onBadPicture = BadPicturePolicy.skip

  func validate() throws {
    if labels != nil && labelPattern != nil {
      throw ValidationError("--labels and --label-pattern both say where classes come from; give one of them.")
    }
  }

  /// Those options that were given, for data that have no use for them.
  var given: [String] {
    (labels == nil ? [] : ["--labels"]) + (labelPattern == nil ? [] : ["--label-pattern"])
      + (onBadPicture == .skip ? [] : ["--on-bad-picture"])
  }

  var source: PictureLabels { labels.map { .file($0) } ?? labelPattern.map { .pattern($0) } ?? .folders }
}

/// What the pictures of a folder are brought to.
struct PictureShapeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Height, width and channels that pictures, those of a data set too, are brought to (default: the network's; "
        + "small pictures keep theirs).",
      valueName: "HxWxC"))
  var input: ImageShape?

  @Option(
    help: ArgumentHelp(
      "How: crop takes the middle, stretch changes proportions, pad fills up with the background.", valueName: "how"),
    transform: choice)
  var fit = PictureFit.crop

  @Option(
    help: ArgumentHelp(
      "digit: each picture shows one handwritten digit, which is cut out as in MNIST: light on black, 28x28.",
      valueName: "subject"), transform: choice)
  var prepare: PictureSubject?

  @Option(
    help: ArgumentHelp(
      "The ground under transparent pixels: auto, white, black or #RRGGBB (auto is white under dark ink).",
      valueName: "colour"), transform: ApusCommand.background)
  var background = Background.black

  @Option(
    help: ArgumentHelp(
      "Keep decoded pictures in this folder, so that each is decoded once; they take their full size.",
      valueName: "folder"))
  var cache: String?

  @Flag(help: "Train on each class equally often: pictures of smaller classes come several times an epoch.")
  var balance = false

  func validate() throws {
    if let input, input.sizes[2] != 1 && input.sizes[2] != 3 {
      throw ValidationError("--input \(input.sizes.shapeDescription): pictures have 1 channel (grey) or 3 (RGB).")
    }
  }

  /// Those options that were given.
  var given: [String] {
    (input == nil ? [] : ["--input"]) + (fit == .crop ? [] : ["--fit"]) + (prepare == nil ? [] : ["--prepare"])
      + (background == .black ? [] : ["--background"]) + (cache == nil ? [] : ["--cache"])
      + (balance ? ["--balance"] : [])
  }
}

/// The case of that name.
///
/// - Throws: `ValidationError` that lists the names.
func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Choice {
  guard let choice = Choice(rawValue: text) else {
    throw ValidationError("'\(text)' is not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
  }
  return choice
}

/// - Throws: `ValidationError` for text that names no ground.
func background(_ text: String) throws -> Background {
  guard let background = Background(parsing: text) else {
    throw ValidationError("'\(text)' is not a ground; use auto, white, black or a colour such as #FFCC00.")
  }
  return background
}
