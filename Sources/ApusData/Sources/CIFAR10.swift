/// The CIFAR-10 pictures: 50,000 for training and 10,000 for testing, 32x32, RGB, in ten classes.
///
/// Published by A. Krizhevsky (https://www.cs.toronto.edu/~kriz/cifar.html) as binary records of a label byte and three
/// planes of 32x32 bytes, red, green, blue, and as Python's pickles. The files are looked for in the folder of
/// `DataLocator` and its subfolders `cifar10`, `cifar-10-batches-bin` and `cifar-10-batches-py`; the published archives
/// are read as they are, without unpacking, and the binary one is downloaded when there is none and the folder is the
/// user's cache or empty.
public enum CIFAR10: PublishedImages {
  /// By its name, for the program.
  public static let entry = publication.entry

  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  static let publication = Publication(
    name: "cifar10", title: "CIFAR-10", model: "tutorial-cifar", imageShape: [32, 32, 3], classNames: classNames,
    counts: [.train: 50_000, .test: 10_000],
    remotes: [
      RemoteFile(
        name: "cifar-10-binary.tar.gz", mirrors: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
        md5: "c32a1d4ab5d03f1284b67883e8d87530", maximumByteCount: 200 << 20)
    ],
    // The latter is Keras's.
    subfolder: "cifar10", folders: ["cifar-10-batches-py-target"],
    layouts: [
      CIFARLayout(
        folder: "cifar-10-batches-bin", archive: "cifar-10-binary.tar.gz",
        batches: [.train: (1...5).map { "data_batch_\($0).bin" }, .test: ["test_batch.bin"]],
        encoding: .records(labelByteCount: 1, label: 0), batchCount: 10_000),
      CIFARLayout(
        folder: "cifar-10-batches-py", archive: "cifar-10-python.tar.gz",
        batches: [.train: (1...5).map { "data_batch_\($0)" }, .test: ["test_batch"]],
        encoding: .pickle(labels: ["labels"]), batchCount: 10_000),
    ])
}
