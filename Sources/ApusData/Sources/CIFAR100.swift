/// The CIFAR-100 pictures: 50,000 for training and 10,000 for testing, 32x32, RGB, in a hundred classes, which form
/// twenty superclasses.
///
/// Published by A. Krizhevsky (https://www.cs.toronto.edu/~kriz/cifar.html) as binary records of a coarse and a fine label
/// and three planes of 32x32 bytes, and as Python's pickles. See `CIFAR10` for where they are looked for; the folders
/// are `cifar100`, `cifar-100-binary` and `cifar-100-python`.
public enum CIFAR100: PublishedImages {
  /// With its hundred classes, by its name, for the program.
  public static let entry = publication.entry
  /// With its twenty superclasses: `CIFAR100.coarse.train()`.
  public static let coarse = coarsePublication.entry

  static let publication = make(
    "cifar100", title: "CIFAR-100", classes: classNames, label: 1, key: "fine_labels")
  static let coarsePublication = make(
    "cifar100-coarse", title: "CIFAR-100 coarse", classes: coarseClassNames, label: 0, key: "coarse_labels")

  private static func make(
    _ name: String, title: String, classes: [String], label: Int, key: String
  ) -> Publication {
    Publication(
      name: name, title: title, model: "tutorial-cifar", imageShape: [32, 32, 3], classNames: classes,
      counts: [.train: 50_000, .test: 10_000],
      remotes: [
        RemoteFile(
          name: "cifar-100-binary.tar.gz", mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
          md5: "03b5dce01913d631647c71ecec9e9cb8", maximumByteCount: 200 << 20)
      ],
      subfolder: "cifar100", folders: ["cifar-100-python-target"],
      layouts: [
        CIFARLayout(
          folder: "cifar-100-binary", archive: "cifar-100-binary.tar.gz",
          batches: [.train: ["train.bin"], .test: ["test.bin"]],
          encoding: .records(labelByteCount: 2, label: label), batchCount: 50_000),
        CIFARLayout(
          folder: "cifar-100-python", archive: "cifar-100-python.tar.gz",
          batches: [.train: ["train"], .test: ["test"]], encoding: .pickle(labels: [key]), batchCount: 50_000),
      ])
  }

  public static let classNames = names(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
    forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
    """)

  public static let coarseClassNames = names(
    """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
    """)

  private static func names(_ text: String) -> [String] { text.split { $0 == " " || $0 == "\n" }.map(String.init) }
}
