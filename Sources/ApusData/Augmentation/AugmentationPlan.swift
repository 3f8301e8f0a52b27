package import ApusCore

/// Augmentations for pictures of one size, one after another: what a step needs to have room for, and the numbers of each
/// picture.
package struct AugmentationPlan: Sendable {
  private let augmentations: [any Augmentation]
  private let height, width, channels: Int
  private let white: Double
  package let layout: Layout

  /// What a compiled step depends on.
  package struct Layout: Sendable, Hashable {
    /// Edits of a picture, at most.
    package let slots: Int
    /// Whether an edit after the first may read neighbours.
    package let readsNeighbours: Bool
    /// Whether pictures take something from each other.
    package let mixes: Bool

    /// Numbers of a picture's edits.
    package var editCount: Int { slots * EditCode.stride }
    /// Numbers of a picture's mix: share, rows and columns of the box, weight.
    package static let mixCount = 6
  }

  /// - Parameter picture: shape and type of a picture, without the batch's axis.
  /// - Throws: `DataError` for augmentations with wrong numbers, or that do not go with such pictures.
  package init(_ augmentations: [any Augmentation], picture: TensorType) throws {
    func failure(_ name: String, _ reason: String) -> DataError {
      DataError(.invalidArgument, at: "augmentation '\(name)'", reason)
    }
    guard let first = augmentations.first else { preconditionFailure("AugmentationPlan: no augmentation") }
    guard picture.shape.count == 3, picture.dtype == .uint8 || picture.dtype == .float32 else {
      throw failure(first.name, "the input is \(picture); augmentation is for pictures [height, width, channels]")
    }
    (height, width, channels) = (picture.shape[0], picture.shape[1], picture.shape[2])
    white = picture.dtype == .uint8 ? 255 : 1
    var (slots, readsNeighbours) = (1, false)
    // The moves that the next one would join; `nil` for none. What reads the picture is as good as a flip.
    var run: EditLimits.Moves? = .flips
    for augmentation in augmentations {
      if let problem = augmentation.problem { throw failure(augmentation.name, problem) }
      let limits = augmentation.limits
      if limits.needsColours, channels != 1, channels != 3 {
        throw failure(augmentation.name, "it is for grey or coloured pictures, and these have \(channels) channels")
      }
      readsNeighbours = readsNeighbours || limits.readsNeighbours
      if let moves = limits.moves {
        if run == .flips || run == moves {
          run = moves
        } else if run == nil || moves != .flips {
          (run, slots, readsNeighbours) = (moves, slots + 1, true)
        }
      }
      if limits.changes > 0 { (run, slots) = (nil, slots + limits.changes) }
    }
    let mixing = augmentations.filter(\.limits.mixes)
    if mixing.count > 1 {
      throw failure(mixing[1].name, "pictures are mixed once, and '\(mixing[0].name)' does")
    }
    self.augmentations = augmentations
    layout = Layout(slots: slots, readsNeighbours: readsNeighbours, mixes: !mixing.isEmpty)
  }

  /// Draws the edits of a picture, and its mix.
  ///
  /// - Parameters:
  ///   - index: the picture's number in its data set.
  ///   - edits: `editCount` numbers.
  ///   - mix: `mixCount` numbers; empty where nothing is mixed.
  /// - Throws: `DataError` where an augmentation adds more than it says.
  package func draw(
    _ index: Int, epoch: Int, seed: UInt64, into edits: UnsafeMutableBufferPointer<Float>,
    _ mix: UnsafeMutableBufferPointer<Float>
  ) throws {
    var random = PhiloxGenerator(
      seed: seed, stream: 0x6175_676D &+ UInt32(truncatingIfNeeded: epoch), part: UInt32(truncatingIfNeeded: index))
    var picture = PictureEdit(height: height, width: width, channels: channels, white: white)
    for augmentation in augmentations { augmentation.apply(to: &picture, random: &random) }
    let all = picture.finished()
    guard all.count <= layout.slots, layout.readsNeighbours || !picture.readsNeighbours else {
      throw DataError(
        .invalidArgument, at: augmentations.map(\.name).joined(separator: ","),
        "adds \(all.count) edits, and says that \(layout.slots)\(layout.readsNeighbours ? "" : " without neighbours") are the most; "
          + "`limits` must tell of all")
    }
    edits.update(repeating: 0)
    for (slot, edit) in all.enumerated() {
      for (i, number) in edit.enumerated() { edits[slot * EditCode.stride + i] = Float(number) }
    }
    guard layout.mixes else { return }
    let drawn = augmentations.lazy.compactMap { $0.mix(height: height, width: width, random: &random) }.first
    let box = drawn ?? PictureMix(share: 0, weight: 0)
    let numbers = [
      box.share, Double(box.rows.lowerBound), Double(box.rows.upperBound), Double(box.columns.lowerBound),
      Double(box.columns.upperBound), box.weight,
    ]
    for (i, number) in numbers.enumerated() { mix[i] = Float(number) }
  }
}

extension PictureEdit {
  /// Whether an edit after the first does.
  fileprivate var readsNeighbours: Bool {
    edits.dropFirst().contains { EditCode(rawValue: Int($0[0]))!.readsNeighbours }
  }
}
