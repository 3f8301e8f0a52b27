import ApusCore

/// What a picture shows, where more is done to it than to bring it to a shape.
public enum PictureSubject: String, Sendable, Hashable, Codable, CaseIterable {
  /// One handwritten digit: it is cut out, and the ground left away; see `Image.digit(shape:name:)`.
  case digit
}

/// What is done to a picture before a network sees it: kept with a run, so that its pictures are prepared as those that
/// it was trained on.
public struct PicturePreparation: Sendable, Hashable, Codable {
  public var fit: PictureFit
  /// The ground under transparent pixels, and beside pictures that are padded.
  public var background: Background
  /// What is cut out; then `fit` has no part in it. `nil` for the picture as it is.
  public var subject: PictureSubject?

  public init(fit: PictureFit = .crop, background: Background = .black, subject: PictureSubject? = nil) {
    (self.fit, self.background, self.subject) = (fit, background, subject)
  }

  /// Of pictures that are predicted by networks that were trained on published data sets.
  package static let ofDataSets = PicturePreparation(fit: .stretch, background: .contrasting)

  /// Reads a picture, upright and at `shape`: height, width and 1 or 3 channels.
  ///
  /// - Throws: `DataError`, `FileError`, `HostMemoryError`.
  public func picture(at path: String, shape: [Int]) throws -> Image {
    try prepared(Image(contentsOf: path, enoughSide: enoughSide(shape), background: background), shape, name: path)
  }

  /// The picture of a file's bytes, as `picture(at:shape:)`.
  ///
  /// - Parameter name: what messages call it.
  public func picture(encoded bytes: [UInt8], name: String, shape: [Int]) throws -> Image {
    let image = try Image(encoded: bytes, name: name, enoughSide: enoughSide(shape), background: background)
    return try prepared(image, shape, name: name)
  }

  /// Twice as many pixels as are kept: what a decoder leaves out does not show then. A subject may be small in its
  /// picture.
  private func enoughSide(_ shape: [Int]) -> Int { max(subject == nil ? 0 : 1024, 2 * max(shape[0], shape[1])) }

  private func prepared(_ image: Image, _ shape: [Int], name: String) throws -> Image {
    switch subject {
    case .digit: try image.digit(shape: shape, name: name)
    case nil: image.fitted(to: shape, fit, background: background)
    }
  }
}
