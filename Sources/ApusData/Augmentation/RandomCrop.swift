public import ApusCore

/// Pads each side by some pixels and cuts the picture's size out of it, anywhere; torchvision's `RandomCrop` with
/// `padding`, the recipe of CIFAR-10 (He et al., "Deep residual learning", 2016).
public struct RandomCrop: Augmentation {
  public static let name = "crop"
  public static let mainKey: String? = "padding"
  /// Pixels.
  public var padding = 4
  public var border = PictureEdit.Border.constant(0)

  public init() {}
  public init(padding: Int, border: PictureEdit.Border = .constant(0)) {
    (self.padding, self.border) = (padding, border)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(border)) }
  public var problem: String? { amountProblem(Double(padding), "padding", most: 65536) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let (x, y) = (random.whole(-padding..<(padding + 1)), random.whole(-padding..<(padding + 1)))
    picture.move(.shift(Double(x), Double(y)), border: border)
  }
}

/// A part of the picture of random area and shape, brought to the picture's size; torchvision's `RandomResizedCrop`, the
/// recipe of ImageNet (Szegedy et al., "Going deeper with convolutions", 2015).
///
/// Bilinear without smoothing, which parts do not need: they are enlarged.
public struct RandomResizedCrop: AreaAugmentation {
  public static let name = "resized-crop"
  public static let mainKey: String? = "least_area"
  /// Shares of the picture's area.
  public var leastArea = 0.08
  public var mostArea = 1.0
  /// Width by height, at most; and at least one by it.
  public var ratio = 4.0 / 3

  private enum CodingKeys: String, CodingKey {
    case leastArea = "least_area"
    case mostArea = "most_area"
    case ratio
  }

  public init() {}
  public init(area: ClosedRange<Double>, ratio: Double = 4.0 / 3) {
    (leastArea, mostArea, self.ratio) = (area.lowerBound, area.upperBound, ratio)
  }

  public var limits: EditLimits { EditLimits(moves: .outside(.edge)) }
  public var problem: String? { areaProblem }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    var (width, height) = (picture.width, picture.height)
    for _ in 0..<10 {
      let (w, h) = drawSides(of: picture, &random)
      if w >= 1, h >= 1, w <= picture.width, h <= picture.height {
        (width, height) = (w, h)
        break
      }
    }
    let left = Double(random.whole(0..<(picture.width - width + 1)))
    let top = Double(random.whole(0..<(picture.height - height + 1)))
    let (a, d) = (Double(width) / Double(picture.width), Double(height) / Double(picture.height))
    // Middles of pixels: the first is half a pixel from the edge.
    picture.move(
      Homography([a, 0, left + (a - 1) / 2, 0, d, top + (d - 1) / 2, 0, 0, 1]), border: .edge)
  }
}

extension Augmentation where Self == RandomCrop {
  public static func crop(_ padding: Int, border: PictureEdit.Border = .constant(0)) -> RandomCrop {
    RandomCrop(padding: padding, border: border)
  }
}

extension Augmentation where Self == RandomResizedCrop {
  public static var resizedCrop: RandomResizedCrop { RandomResizedCrop() }
}
