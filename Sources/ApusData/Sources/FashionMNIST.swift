/// The Fashion-MNIST pictures of clothes: 60,000 for training and 10,000 for testing, 28x28, grey, in ten classes.
///
/// Published by H. Xiao, K. Rasul and R. Vollgraf (https://github.com/zalandoresearch/fashion-mnist) in MNIST's layout
/// and under its files' names; Kaggle serves it as tables of pixels. See `MNIST` for where it is looked for.
public enum FashionMNIST: PublishedImages {
  /// By its name, for the program.
  public static let entry = publication.entry

  static let publication = Publication(
    name: "fashion-mnist", title: "Fashion-MNIST", model: "tutorial-mnist", imageShape: [28, 28, 1],
    classNames: [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ],
    counts: [.train: 60_000, .test: 10_000],
    remotes: MNIST.remotes(
      [
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      ],
      trainImages: "8d4fb7e6c68d591d4c3dfef9ec88bf0d", trainLabels: "25c81989df183df01b3e8a0aad5dffbe",
      testImages: "bef4ecab320f06d8554ea6380940ec79", testLabels: "bb300cfdad3c16e7a12a480ee83cd310"),
    subfolder: "fashion-mnist", folders: ["FashionMNIST/raw", "raw"],
    layouts: [IDXLayout.mnist, CSVLayout(train: "fashion-mnist_train.csv", test: "fashion-mnist_test.csv")])
}
