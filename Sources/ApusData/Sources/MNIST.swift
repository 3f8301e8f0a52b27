/// The MNIST handwritten digits: 60,000 training and 10,000 test pictures, 28x28, grey, in ten classes.
///
/// Published by Y. LeCun, C. Cortes and C. J. C. Burges as four gzipped IDX files. They are looked for in the folder of
/// `DataLocator`: in its subfolder `mnist`, in itself, and where torchvision puts them; so are Keras's `mnist.npz` and
/// Kaggle's tables of pixels. They are downloaded when the folder is the user's cache or empty. Downloads are checked
/// against the published sums; of files found in place a differing content is noted in `ImageDataset.note`.
public enum MNIST: PublishedImages {
  /// By its name, for the program.
  public static let entry = publication.entry

  /// Height, width and channels of a picture.
  public static let imageShape = [28, 28, 1]

  static let publication = Publication(
    name: "mnist", title: "MNIST", model: "tutorial-mnist", imageShape: imageShape,
    classNames: (0...9).map(String.init), counts: [.train: 60_000, .test: 10_000],
    sums: [.train: "e8588e5120978e6b1fb09680719a8cf7", .test: "9c751a3c9717db80fdd231ec8ce0cb1e"],
    remotes: remotes(
      [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
      ],
      trainImages: "f68b3c2dcbeaaa9fbdd348bbdeb94873", trainLabels: "d53e105ee54ea40749a09fcbcd1e9432",
      testImages: "9fb629c4189551a2d022fa330f9573f3", testLabels: "ec29112dd5afa0611ce80d1b7f02629c"),
    subfolder: "mnist", folders: ["MNIST/raw", "raw", "FashionMNIST/raw"],
    layouts: [
      IDXLayout.mnist,
      NPZLayout(
        images: [.train: ("mnist.npz", "x_train"), .test: ("mnist.npz", "x_test")],
        labels: [.train: ("mnist.npz", "y_train"), .test: ("mnist.npz", "y_test")]),
      CSVLayout(train: "mnist_train.csv", test: "mnist_test.csv"),
      CSVLayout(train: "train.csv", test: "test.csv", isOfCompetition: true),
    ])

  /// The four files of MNIST and its kin, gzipped, with their MD5 sums.
  static func remotes(
    _ mirrors: [String], trainImages: String, trainLabels: String, testImages: String, testLabels: String
  ) -> [RemoteFile] {
    func file(_ name: String, _ md5: String, _ most: Int) -> RemoteFile {
      RemoteFile(name: "\(name).gz", mirrors: mirrors.map { "\($0)\(name).gz" }, md5: md5, maximumByteCount: most)
    }
    return [
      file("train-images-idx3-ubyte", trainImages, 48 << 20), file("train-labels-idx1-ubyte", trainLabels, 1 << 20),
      file("t10k-images-idx3-ubyte", testImages, 16 << 20), file("t10k-labels-idx1-ubyte", testLabels, 1 << 20),
    ]
  }
}
