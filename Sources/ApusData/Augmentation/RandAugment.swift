public import ApusCore

/// Some operations of a list, each drawn, all of one strength; Cubuk et al., "RandAugment", 2020. torchvision's
/// `RandAugment`, with its operations and ranges; shears are around the middle.
public struct RandAugment: Augmentation {
  public static let name = "rand-augment"
  public static let mainKey: String? = "magnitude"
  /// Operations of a picture.
  public var count = 2
  /// 0 to 30: how far of their ranges.
  public var magnitude = 9

  public init() {}
  public init(count: Int = 2, magnitude: Int = 9) { (self.count, self.magnitude) = (count, magnitude) }

  public var limits: EditLimits { EditLimits(changes: count, readsNeighbours: true, needsColours: true) }
  public var problem: String? {
    guard (1...16).contains(count) else { return "\(count) operations; there may be 1 to 16" }
    return (0...30).contains(magnitude) ? nil : "a magnitude of \(magnitude); it must be in 0...30"
  }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    for _ in 0..<count {
      let change = PictureChange.allCases[random.whole(0..<PictureChange.allCases.count)]
      change.apply(
        strength: Double(magnitude) / 30, ranges: .randAugment, to: &picture, random: &random)
    }
  }
}

/// One operation of a list, of a strength that is drawn; Müller and Hutter, "TrivialAugment", 2021. torchvision's
/// `TrivialAugmentWide`, with its operations and ranges; shears are around the middle.
public struct TrivialAugment: Augmentation {
  public static let name = "trivial-augment"

  public init() {}

  public var limits: EditLimits { EditLimits(changes: 1, readsNeighbours: true, needsColours: true) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let change = PictureChange.allCases[random.whole(0..<PictureChange.allCases.count)]
    change.apply(strength: Double(random.whole(0..<31)) / 30, ranges: .wide, to: &picture, random: &random)
  }
}

/// The operations of both lists, in torchvision's order.
private enum PictureChange: CaseIterable {
  case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast, sharpness, posterize,
    solarize, autocontrast, equalize

  /// Largest values of each.
  struct Ranges {
    let shear, degrees, factor: Double
    /// Of the side, and in pixels.
    let shiftShare, shiftPixels: Double
    let fewestBits: Int

    static let randAugment = Ranges(
      shear: 0.3, degrees: 30, factor: 0.9, shiftShare: 150.0 / 331, shiftPixels: 0, fewestBits: 4)
    static let wide = Ranges(shear: 0.99, degrees: 135, factor: 0.99, shiftShare: 0, shiftPixels: 32, fewestBits: 2)

    func shift(_ side: Int) -> Double { shiftShare * Double(side) + shiftPixels }
  }

  /// - Parameter strength: 0 to 1.
  func apply(strength: Double, ranges: Ranges, to picture: inout PictureEdit, random: inout PhiloxGenerator) {
    let signed = random.chance(0.5) ? strength : -strength
    func radians(_ slope: Double) -> Double { Double.atan(slope) * 180 / .pi }
    switch self {
    case .identity: break
    case .shearX: picture.shear(radians(signed * ranges.shear), 0)
    case .shearY: picture.shear(0, radians(signed * ranges.shear))
    case .translateX: picture.move(.shift((signed * ranges.shift(picture.width)).rounded(.towardZero), 0))
    case .translateY: picture.move(.shift(0, (signed * ranges.shift(picture.height)).rounded(.towardZero)))
    case .rotate: picture.rotate(signed * ranges.degrees)
    case .brightness: picture.scale(1 + signed * ranges.factor)
    case .color: picture.saturate(1 + signed * ranges.factor)
    case .contrast: picture.contrast(1 + signed * ranges.factor)
    case .sharpness: picture.sharpen(1 + signed * ranges.factor)
    case .posterize: picture.posterize(bits: 8 - Int((strength * Double(8 - ranges.fewestBits)).rounded()))
    case .solarize: picture.solarize(1 - strength)
    case .autocontrast: picture.autocontrast()
    case .equalize: picture.equalize()
    }
  }
}

extension Augmentation where Self == RandAugment {
  public static var randAugment: RandAugment { RandAugment() }
}

extension Augmentation where Self == TrivialAugment {
  public static var trivialAugment: TrivialAugment { TrivialAugment() }
}
