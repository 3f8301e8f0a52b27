/// What is done to a picture before a network sees it: kept with a run, so that its pictures are prepared as those that
/// it was trained on.
public struct PicturePreparation: Sendable, Hashable, Codable {
  public var fit: PictureFit
  /// The ground under transparent pixels, and beside pictures that are padded.
  public var background: Background

  public init(fit: PictureFit = .crop, background: Background = .black) {
    (self.fit, self.background) = (fit, background)
  }

  /// Of pictures that are predicted by networks that were trained on published data sets.
  package static let ofDataSets = PicturePreparation(fit: .stretch, background: .contrasting)

  /// Reads a picture, upright and at `shape`: height, width and 1 or 3 channels.
  ///
  /// - Throws: `DataError`, `FileError`, `HostMemoryError`.
  public func picture(at path: String, shape: [Int]) throws -> Image {
    // Twice as many pixels as are kept: what a decoder leaves out does not show then.
    try Image(contentsOf: path, enoughSide: 2 * max(shape[0], shape[1]), background: background)
      .fitted(to: shape, fit, background: background)
  }
}
