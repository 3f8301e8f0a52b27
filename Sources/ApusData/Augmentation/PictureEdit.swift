import ApusCore

/// What is done to one picture, step by step: augmentations write it, a device does it.
///
/// Moves that follow one another are one: however many there are, pixels are read once.
public struct PictureEdit: Sendable {
  public let height: Int
  public let width: Int
  public let channels: Int
  /// What white is: 255 for bytes, 1 for floats.
  public let white: Double
  /// What was done so far: edits as `kernels/augment.cl` takes them.
  private(set) var edits: [[Double]] = []
  /// Of the moves that are not written yet.
  private var pending: (map: Homography, border: Border?, isNearest: Bool)?

  /// What stands outside of a picture.
  public enum Border: Sendable, Hashable {
    /// One value, in the picture's units: 0 is black.
    case constant(Double)
    /// The picture's edge again and again: `a a a b c`.
    case edge
    /// A mirror image around the edge: `c b a b c`, PyTorch's `reflect`.
    case reflect
    /// A mirror image that begins with the edge: `b a a b c`, Keras's `reflect`.
    case symmetric
    /// The picture again: `b c a b c`.
    case wrap

    fileprivate var code: Double {
      switch self {
      case .constant: 0
      case .edge: 1
      case .reflect: 2
      case .symmetric: 3
      case .wrap: 4
      }
    }

    fileprivate var fill: Double { if case .constant(let value) = self { value } else { 0 } }
  }

  package init(height: Int, width: Int, channels: Int, white: Double) {
    (self.height, self.width, self.channels, self.white) = (height, width, channels, white)
  }

  /// The middle of the picture, in pixels.
  public var center: (x: Double, y: Double) { (Double(width - 1) / 2, Double(height - 1) / 2) }

  // MARK: Moves

  /// Shows each pixel `p` of the new picture as it is at `map(p)` now, between pixels bilinear.
  ///
  /// - Parameter nearest: the nearest pixel instead.
  public mutating func move(_ map: Homography, border: Border = .constant(0), nearest: Bool = false) {
    move(map, border, isNearest: nearest)
  }

  /// Left for right.
  public mutating func flipHorizontally() {
    move(Homography([-1, 0, Double(width - 1), 0, 1, 0, 0, 0, 1]), nil, isNearest: false)
  }

  /// Top for bottom.
  public mutating func flipVertically() {
    move(Homography([1, 0, 0, 0, -1, Double(height - 1), 0, 0, 1]), nil, isNearest: false)
  }

  /// - Parameter border: `nil` where no pixel shows what is outside.
  private mutating func move(_ map: Homography, _ border: Border?, isNearest: Bool) {
    if let first = pending {
      let isExact = first.map.wholePixels != nil || map.wholePixels != nil
      if first.border == nil || border == nil || first.border == border, first.isNearest == isNearest || isExact {
        // Whole pixels are exact by either rule.
        let nearest = first.map.wholePixels == nil ? first.isNearest : isNearest
        pending = (first.map * map, first.border ?? border, nearest)
        return
      }
    }
    flush()
    pending = (map, border, isNearest)
  }

  /// Writes the moves that are pending.
  private mutating func flush() {
    guard let move = pending else { return }
    pending = nil
    let outside = [move.border?.code ?? 0, move.border?.fill ?? 0]
    if let whole = move.map.wholePixels {
      add(.shift, outside + [whole.turnX, whole.x, whole.turnY, whole.y])
    } else if let map = move.map.normalized {
      add(move.isNearest ? .nearest : .warp, outside + map.dropLast())
    } else {
      // Everything is infinitely far away.
      add(.shift, outside + [1, 1e6, 1, 1e6])
    }
  }

  // MARK: Colours

  /// `v * factor + offset`, kept within black and white; an `offset` of 1 is white.
  public mutating func scale(_ factor: Double, offset: Double = 0) { change(.linear, [factor, offset]) }

  /// `m + (v - m) * factor`, where `m` is the mean of the picture's grey, as torchvision has it, or where `eachChannel`
  /// the channel's mean, as Keras has it.
  public mutating func contrast(_ factor: Double, eachChannel: Bool = false) {
    change(.contrast, [factor, eachChannel ? 1 : 0])
  }

  /// `g + (v - g) * factor`, where `g` is the pixel's grey: 0 is a grey picture, 1 the picture itself.
  public mutating func saturate(_ factor: Double) { change(.saturation, [factor]) }

  /// Turns hues by a share of the circle.
  public mutating func turnHue(_ share: Double) { change(.hue, [share - share.rounded()]) }

  /// `gain * v ^ gamma`, with white as 1.
  public mutating func gamma(_ gamma: Double, gain: Double = 1) { change(.gamma, [gamma, gain]) }

  /// All channels become `0.2989 red + 0.587 green + 0.114 blue`.
  public mutating func grey() { change(.grey, []) }

  /// Keeps the first `bits` of eight.
  public mutating func posterize(bits: Int) { change(.posterize, [Double(min(max(bits, 0), 8))]) }

  /// `white - v` where `v` is at least `threshold`, a share of white; 0 inverts.
  public mutating func solarize(_ threshold: Double) { change(.solarize, [threshold]) }

  /// Spreads each channel from black to white.
  public mutating func autocontrast() { change(.autocontrast, []) }

  /// Spreads the levels of each channel so that each is as frequent.
  public mutating func equalize() { change(.equalize, []) }

  // MARK: Neighbours and areas

  /// 0 is smoothed, 1 the picture itself, 2 sharpened; Pillow's and torchvision's factor.
  public mutating func sharpen(_ factor: Double) { change(.sharpness, [factor]) }

  /// A Gaussian of `deviation` pixels over `size` pixels, an odd number up to 63, mirrored at the edge.
  public mutating func blur(size: Int, deviation: Double) {
    change(.blur, [Double(min(max(size, 1), 63) | 1), max(deviation, 1e-3)])
  }

  /// Fills what of the rows and columns lies in the picture with `value`, in the picture's units.
  public mutating func erase(rows: Range<Int>, columns: Range<Int>, value: Double = 0) {
    let (rows, columns) = (rows.clamped(to: 0..<height), columns.clamped(to: 0..<width))
    if rows.isEmpty || columns.isEmpty { return }
    change(
      .erase, [rows.lowerBound, columns.lowerBound, rows.count, columns.count].map(Double.init) + [value])
  }

  private mutating func change(_ code: EditCode, _ numbers: [Double]) {
    flush()
    // The first edit is where a picture is read.
    if edits.isEmpty { add(.shift, [0, 0, 1, 0, 1, 0]) }
    add(code, numbers)
  }

  private mutating func add(_ code: EditCode, _ numbers: [Double]) {
    edits.append([Double(code.rawValue)] + numbers)
  }

  /// All edits, of which the first is a move.
  package mutating func finished() -> [[Double]] {
    flush()
    if edits.isEmpty { add(.shift, [0, 0, 1, 0, 1, 0]) }
    return edits
  }
}
