import ApusCore

extension ImageFolder {
  /// Cuts off pictures for validation, the same share of each class, drawn from `seed`.
  ///
  /// Of a class of n pictures `round(n * fraction)` are for validation, at least one and at most n - 1 where there are
  /// two; a class of a single picture is for training.
  ///
  /// - Throws: `DataError` when the fraction is not between 0 and 1, or leaves nothing to validate on.
  public func split(
    validationFraction fraction: Double, seed: UInt64 = 0
  ) throws -> (training: ImageFolder, validation: ImageFolder) {
    guard fraction > 0, fraction < 1 else {
      throw DataError(
        .invalidArgument, at: name, "a validation fraction of \(fraction)",
        advice: "give a number between 0 and 1, such as 0.1")
    }
    var (training, validation) = ([Int](), [Int]())
    for (number, positions) in positionsByClass.enumerated() {
      var random = PhiloxGenerator(seed: seed, stream: Self.stream("split \(classNames[number])"))
      let wanted = Int((Double(positions.count) * fraction).rounded())
      let count = positions.count < 2 ? 0 : max(1, min(positions.count - 1, wanted))
      let order = positions.shuffled(using: &random)
      validation += order.prefix(count)
      training += order.dropFirst(count)
    }
    guard !validation.isEmpty else {
      throw DataError(
        .malformed, at: name, "its classes have one picture each: none is left for validation",
        advice: "use more pictures, or no validation")
    }
    // In the folder's order, whatever the draw.
    return (selecting(training.sorted()), selecting(validation.sorted()))
  }

  /// Each class as often as the largest: pictures of the smaller ones come several times.
  public func balanced() -> ImageFolder {
    let classes = positionsByClass.filter { !$0.isEmpty }
    let most = classes.map(\.count).max() ?? 0
    let all = classes.flatMap { positions in (0..<most).map { positions[$0 % positions.count] } }
    return selecting(all.sorted())
  }

  /// A stream of random numbers of that name, whatever else is drawn.
  private static func stream(_ name: String) -> UInt32 { UInt32(truncatingIfNeeded: Checksum(name.utf8).value) }

  private var positionsByClass: [[Int]] {
    var positions = [[Int]](repeating: [], count: classNames.count)
    for (position, label) in labels.enumerated() { positions[Int(label)].append(position) }
    return positions
  }
}

/// The parts of a folder of pictures.
public struct ImageFolderParts: Sendable {
  public var training: ImageFolder
  public var validation: ImageFolder?
  public var test: ImageFolder?
}

extension ImageFolder {
  /// Names of folders that hold a part, for each part.
  private static let partNames: [[String]] = [
    ["train", "training"], ["val", "valid", "validation", "dev"], ["test", "testing"],
  ]

  /// Whether `folder` holds parts, `train` and others, each with its classes.
  public static func hasParts(_ folder: String) -> Bool { part(0, of: folder) != nil }

  /// Reads `folder/train`, `folder/val` and `folder/test`, of which the first must be there; without it all of `folder`
  /// is for training.
  ///
  /// `make` opens one of them, given the classes where they are known: `ImageFolder($0, imageShape: ..., classNames: $1)`.
  public static func parts(
    of folder: String, make: (_ folder: String, _ classNames: [String]?) throws -> ImageFolder
  ) throws -> ImageFolderParts {
    guard let first = part(0, of: folder) else { return ImageFolderParts(training: try make(folder, nil)) }
    let training = try make(first, nil)
    func named(_ part: ImageFolder) -> ImageFolder { part.with { $0.name = name(of: folder) } }
    func open(_ number: Int) throws -> ImageFolder? {
      try part(number, of: folder).map { named(try make($0, training.classNames)) }
    }
    return ImageFolderParts(training: named(training), validation: try open(1), test: try open(2))
  }

  private static func part(_ number: Int, of folder: String) -> String? {
    partNames[number].map { FilePath.join(folder, $0) }.first(where: FilePath.isFolder)
  }
}
