import Apus
import ArgumentParser

/// `--augment`
struct AugmentationOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What is done to training pictures, drawn anew each time: flip,crop:4,rotate:15.",
      discussion: """
        Names with a comma between, each with a number, or with property=value, after a colon; `apus augment --list` has \
        all.
        """, valueName: "list"),
    transform: AugmentationList.init)
  var augment: AugmentationList?

  var all: [any Augmentation] { augment?.augmentations ?? [] }
}

/// Augmentations as users type them.
struct AugmentationList {
  let augmentations: [any Augmentation]

  init(_ text: String) throws {
    do {
      augmentations = try Augmentations.parse(text)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}
