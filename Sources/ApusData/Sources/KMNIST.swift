/// The Kuzushiji-MNIST pictures of cursive Japanese characters: 60,000 for training and 10,000 for testing, 28x28,
/// grey, in ten classes.
///
/// Published by T. Clanuwat and others (https://github.com/rois-codh/kmnist) in MNIST's layout and under its files'
/// names, and as numpy's arrays. See `MNIST` for where it is looked for.
public enum KMNIST: PublishedImages {
  /// By its name, for the program.
  public static let entry = publication.entry

  static let publication = Publication(
    name: "kmnist", title: "KMNIST", model: "tutorial-mnist", imageShape: [28, 28, 1],
    classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    counts: [.train: 60_000, .test: 10_000],
    remotes: MNIST.remotes(
      ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
      trainImages: "bdb82020997e1d708af4cf47b453dcf7", trainLabels: "e144d726b3acfaa3e44228e80efcd344",
      testImages: "5c965bf0a639b31b8f53240b1b52f4d7", testLabels: "7320c461ea6c1c855c0b718fb2a4b134"),
    subfolder: "kmnist", folders: ["KMNIST/raw", "raw"],
    layouts: [
      IDXLayout.mnist,
      NPZLayout(
        images: [.train: ("kmnist-train-imgs.npz", "arr_0"), .test: ("kmnist-test-imgs.npz", "arr_0")],
        labels: [.train: ("kmnist-train-labels.npz", "arr_0"), .test: ("kmnist-test-labels.npz", "arr_0")]),
    ])
}
