public import ApusCore

/// One of the two parts in which published data sets come.
public enum DatasetPart: String, Sendable, Hashable, CaseIterable {
  case train, test
}

/// Labelled pictures: `images` uint8 `[N, H, W, C]`, `labels` int32 `[N]`, and the name of each class.
///
/// A data set is checked when it is made, so training never meets a label without a class.
///
/// ```swift
/// let digits = try Digits.train()
/// let (training, validation) = try digits.split(validationFraction: 0.1)
/// print(training.count, validation.count, digits.imageShape)   // 9000 1000 [28, 28, 1]
/// ```
public struct ImageDataset: Sendable, Hashable {
  /// What users call it: `MNIST`, `CIFAR-10`, `digits`.
  public let name: String
  /// The pictures, uint8 `[N, H, W, C]`, rows from the top, channels interleaved.
  public let images: NDArray
  /// The class of each picture, int32 `[N]`, each in `0..<classNames.count`.
  public let labels: NDArray
  public let classNames: [String]
  /// Where the data comes from: a folder, a file, or how it was drawn.
  public let source: String
  /// Whether a program drew the pictures; results on such data say little about real data.
  public let isSynthetic: Bool
  /// Something the user should know about these files, if anything.
  public let note: String?

  /// Checks and wraps arrays.
  ///
  /// - Throws: `DataError` when the shapes, types or counts do not fit, when there is no picture,
  ///   or when a label has no class (with its index).
  public init(
    name: String, images: NDArray, labels: NDArray, classNames: [String], source: String = "memory",
    isSynthetic: Bool = false, note: String? = nil
  ) throws {
    func failure(_ reason: String, advice: String? = nil) -> DataError {
      DataError(.malformed, at: "\(name) (\(source))", reason, advice: advice)
    }
    guard images.dtype == .uint8, images.shape.count == 4 else {
      throw failure(
        "images are \(images.dtype) \(images.shape.shapeDescription)",
        advice: "give uint8 of shape [N, height, width, channels]")
    }
    guard labels.dtype == .int32, labels.shape.count == 1 else {
      throw failure("labels are \(labels.dtype) \(labels.shape.shapeDescription)", advice: "give int32 of shape [N]")
    }
    guard images.shape[0] == labels.shape[0] else {
      throw failure("\(images.shape[0]) images, but \(labels.shape[0]) labels", advice: "give one label for each image")
    }
    guard images.count > 0 else { throw failure("no pixels: the images are \(images.shape.shapeDescription)") }
    guard classNames.count <= Int(Int32.max) else { throw failure("\(classNames.count) classes") }
    let classCount = classNames.count
    let strayIndex = labels.withElements(as: Int32.self) { $0.firstIndex { !Numerics.isClass($0, of: classCount) } }
    if let strayIndex {
      let label = labels.withElements(as: Int32.self) { $0[strayIndex] }
      throw failure(
        "label \(label) at index \(strayIndex), but there are \(classCount) classes",
        advice: "labels run from 0 to \(classCount - 1)")
    }
    self.init(
      checked: name, images: images, labels: labels, classNames: classNames, source: source, isSynthetic: isSynthetic,
      note: note)
  }

  private init(
    checked name: String, images: NDArray, labels: NDArray, classNames: [String], source: String, isSynthetic: Bool,
    note: String?
  ) {
    self.name = name
    self.images = images
    self.labels = labels
    self.classNames = classNames
    self.source = source
    self.isSynthetic = isSynthetic
    self.note = note
  }

  /// The number of pictures.
  public var count: Int { labels.shape[0] }

  /// Height, width and channels of every picture.
  public var imageShape: [Int] { Array(images.shape.dropFirst()) }

  public var classCount: Int { classNames.count }

  /// The pictures and labels in `range`, in order. The range must lie in `0..<count` and must not be empty.
  public subscript(range: Range<Int>) -> ImageDataset {
    precondition(
      !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count,
      "ImageDataset: \(range) of \(count) pictures")
    return ImageDataset(
      checked: name, images: images.rows(range), labels: labels.rows(range), classNames: classNames, source: source,
      isSynthetic: isSynthetic, note: note)
  }

  /// The first `maximumCount` pictures, or all when there are fewer.
  public func prefix(_ maximumCount: Int) -> ImageDataset {
    maximumCount >= count ? self : self[0..<maximumCount]
  }

  /// Cuts off the last part for validation, before any shuffling, as Keras does: `floor(count * (1 - fraction))`
  /// pictures are for training, the rest for validation.
  ///
  /// - Throws: `DataError` when the fraction is not between 0 and 1, or when either part would be empty;
  ///   `HostMemoryError` when there is no memory for the parts.
  public func split(validationFraction fraction: Double) throws -> (training: ImageDataset, validation: ImageDataset) {
    guard fraction > 0, fraction < 1 else {
      throw DataError(
        .invalidArgument, at: name, "a validation fraction of \(fraction)",
        advice: "give a number between 0 and 1, such as 0.1")
    }
    let cut = Int((Double(count) * (1 - fraction)).rounded(.down))
    guard cut > 0, cut < count else {
      let part = cut == 0 ? "training" : "validation"
      throw DataError(
        .invalidArgument, at: name, "a validation fraction of \(fraction) of \(count) pictures leaves none for \(part)",
        advice: "change the fraction or use more pictures")
    }
    try HostMemory.require(images.byteCount, for: "a copy of \(name)'s \(count) pictures")
    return (self[0..<cut], self[cut..<count])
  }
}

extension ImageDataset: CustomStringConvertible {
  /// `MNIST: 60000 pictures 28x28x1, 10 classes, from /data/mnist`.
  public var description: String {
    "\(name): \(count) pictures \(imageShape.shapeDescription), \(classCount) classes, "
      + origin
  }

  /// `from /data/mnist`, or how the pictures were drawn.
  package var origin: String { isSynthetic ? source : "from \(FilePath.printable(source))" }
}

extension ImageDataset: Dataset {
  public var inputs: [TensorType] { [TensorType(shape: imageShape, dtype: .uint8)] }
  public var targets: [TensorType] { [TensorType(shape: [], dtype: .int32)] }
  public var samplesWorthATask: Int { samplesOfAMegabyte }

  public func read(_ index: Int, into sample: Sample) {
    images.copyRow(index, to: sample.input(0))
    labels.copyRow(index, to: sample.target(0))
  }
}
