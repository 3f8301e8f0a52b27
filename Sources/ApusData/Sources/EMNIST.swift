/// EMNIST: handwritten letters and digits, 28x28, grey, in six divisions of NIST's Special Database 19.
///
/// Published by G. Cohen, S. Afshar, J. Tapson and A. van Schaik (https://www.nist.gov/itl/products-and-services/emnist-dataset)
/// as one zip archive of gzipped IDX files, which is read as it is; unpacked files, torchvision's folder and Kaggle's
/// tables are read, too. The files hold pictures column by column; here they are upright. See `MNIST` for where they are
/// looked for.
///
/// ```swift
/// let letters = try EMNIST.letters.train()
/// print(letters.classNames[0])     // A
/// ```
public enum EMNIST {
  /// 62 classes: digits, upper-case and lower-case letters, as often as they were written.
  public static let byClass = publications[0].entry
  /// 47 classes: those lower-case letters that look like their upper-case ones are one class with these.
  public static let byMerge = publications[1].entry
  /// The 47 classes of `byMerge`, equally often.
  public static let balanced = publications[2].entry
  /// 26 classes: letters in either case.
  public static let letters = publications[3].entry
  /// Ten classes: digits, four times as many as in MNIST.
  public static let digits = publications[4].entry
  /// Ten classes: digits, as many as in MNIST.
  public static let mnist = publications[5].entry

  static let publications = [
    make("byclass", classes: numerals + capitals + small, train: 697_932, test: 116_323),
    make("bymerge", classes: merged, train: 697_932, test: 116_323),
    make("balanced", classes: merged, train: 112_800, test: 18_800),
    // Its labels begin with 1.
    make("letters", classes: capitals, train: 124_800, test: 20_800, firstLabel: 1),
    make("digits", classes: numerals, train: 240_000, test: 40_000),
    make("mnist", classes: numerals, train: 60_000, test: 10_000),
  ]

  private static let numerals = "0123456789".map(String.init)
  private static let capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)
  private static let small = "abcdefghijklmnopqrstuvwxyz".map(String.init)
  /// The small letters that are classes of their own.
  private static let merged = numerals + capitals + "abdefghnqrt".map(String.init)

  private static let archive = RemoteFile(
    name: "gzip.zip",
    mirrors: [
      "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
      "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
    ], md5: "58c8d27c78d21e728a6bc7b3cc06412e", maximumByteCount: 600 << 20)

  private static func make(
    _ division: String, classes: [String], train: Int, test: Int, firstLabel: Int = 0
  ) -> Publication {
    let name = "emnist-\(division)"
    return Publication(
      name: name, title: "EMNIST \(division)", model: "tutorial-mnist", imageShape: [28, 28, 1], classNames: classes,
      counts: [.train: train, .test: test], remotes: [archive], subfolder: "emnist",
      folders: ["EMNIST/raw", "raw", "EMNIST", "gzip", "emnist_source_files"],
      layouts: [
        IDXLayout(
          images: [.train: "\(name)-train-images-idx3-ubyte", .test: "\(name)-test-images-idx3-ubyte"],
          labels: [.train: "\(name)-train-labels-idx1-ubyte", .test: "\(name)-test-labels-idx1-ubyte"],
          archive: (archive.name, "gzip")),
        CSVLayout(train: "\(name)-train.csv", test: "\(name)-test.csv"),
      ],
      firstLabel: firstLabel, isTransposed: true)
  }
}
