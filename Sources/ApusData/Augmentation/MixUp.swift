public import ApusCore

/// A weighted mean with another picture of the batch, and so of the losses; Zhang et al., "mixup: beyond empirical risk
/// minimization", 2018. Keras's `MixUp`, torchvision's.
public struct MixUp: Augmentation {
  public static let name = "mixup"
  public static let mainKey: String? = "alpha"
  /// Of the Beta distribution of the weights: small ones leave most pictures nearly as they are.
  public var alpha = 0.2

  public init() {}
  public init(_ alpha: Double) { self.alpha = alpha }

  public var limits: EditLimits { EditLimits(mixes: true) }
  public var problem: String? { alphaProblem(alpha) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {}

  public func mix(height: Int, width: Int, random: inout PhiloxGenerator) -> PictureMix? {
    let share = random.beta(alpha)
    return PictureMix(share: share, weight: share)
  }
}

/// A box of another picture of the batch, and of its loss the box's share of the area; Yun et al., "CutMix", 2019.
/// Keras's `CutMix`, torchvision's.
public struct CutMix: Augmentation {
  public static let name = "cutmix"
  public static let mainKey: String? = "alpha"
  /// Of the Beta distribution of the box's area; 1: each share as likely.
  public var alpha = 1.0

  public init() {}
  public init(_ alpha: Double) { self.alpha = alpha }

  public var limits: EditLimits { EditLimits(mixes: true) }
  public var problem: String? { alphaProblem(alpha) }

  public func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {}

  public func mix(height: Int, width: Int, random: inout PhiloxGenerator) -> PictureMix? {
    let side = random.beta(alpha).squareRoot()
    let (h, w) = (Int(Double(height) * side), Int(Double(width) * side))
    let (top, left) = (random.whole(0..<height) - h / 2, random.whole(0..<width) - w / 2)
    let rows = (top..<(top + h)).clamped(to: 0..<height)
    let columns = (left..<(left + w)).clamped(to: 0..<width)
    return PictureMix(
      share: 0, rows: rows, columns: columns, weight: Double(rows.count * columns.count) / Double(height * width))
  }
}

private func alphaProblem(_ alpha: Double) -> String? {
  alpha > 0 && alpha.isFinite ? nil : "alpha is \(alpha); it must be above 0"
}

extension Augmentation where Self == MixUp {
  public static var mixUp: MixUp { MixUp() }
}

extension Augmentation where Self == CutMix {
  public static var cutMix: CutMix { CutMix() }
}
