import ApusCore

/// What is drawn in a picture, apart from the ground that it is drawn on: 0 where the ground shows, 1 under full strokes.
///
/// The ground's brightness is estimated at each pixel, so uneven light and shadows vanish with it. Light strokes on a
/// dark ground are taken as the picture's negative, so that ink is always what darkens.
struct Ink {
  private(set) var plane: Plane

  /// The longer side at which a picture is looked at, and at which its ground is.
  private static let workingSide = 1024
  private static let groundSide = 64
  /// Darkening below this share is paper.
  private static let leastContrast: Float = 0.08
  /// Full strokes darken at least by this share; what touches the picture's edge may be a shadow, so by the other.
  private static let leastStroke: Float = 0.15, leastStrokeAtEdge: Float = 0.5
  /// Fewer pixels are no stroke.
  private static let leastCount = 4

  /// - Returns: `nil` where nothing stands out from the ground.
  init?(of picture: Image) {
    let image = picture.shrunk(to: Self.workingSide)
    var thumbnail = Plane(image.shrunk(to: Self.groundSide))
    let isLight = Self.hasLightInk(thumbnail)
    func positive(_ plane: Plane) -> Plane { isLight ? plane.map { 1 - $0 } : plane }
    thumbnail = positive(thumbnail)
    guard let ground = Self.ground(of: thumbnail) else { return nil }
    let contrast = positive(Plane(image)).smoothed(radius: max(image.width, image.height) > 160 ? 1 : 0)
      .darkening(below: Plane(ground.image.resized(toWidth: image.width, height: image.height)))

    // Paper is most of the picture: its median contrast is what the estimate of the ground is off by, and the deviation
    // from it is noise.
    let paper = Self.quantile(0.5, of: contrast.values)
    let noise = 1.4826 * Self.quantile(0.5, of: contrast.values.map { abs($0 - paper) })
    let strokes = contrast.values.filter { $0 > paper + max(4 * noise, Self.leastContrast) }
    guard strokes.count >= Self.leastCount else { return nil }
    let edges = Self.threshold(strokes)
    let cores = strokes.filter { $0 > edges }
    let full = Self.quantile(0.5, of: cores.isEmpty ? strokes : cores) - paper
    guard full >= Self.leastStroke else { return nil }
    // A stroke's edge is where half of its ink is; a little softness keeps edges between pixels.
    plane = contrast.map { min(max((($0 - paper) / full - 0.3) / 0.4, 0), 1) }
    let touchesEdge = plane.keepLargeParts()
    if touchesEdge && full < Self.leastStrokeAtEdge { return nil }
  }

  /// Whether what deviates from its surroundings is lighter: the third moment of the deviations is positive.
  private static func hasLightInk(_ thumbnail: Plane) -> Bool {
    let surroundings = thumbnail.smoothed(radius: max(2, min(thumbnail.width, thumbnail.height) / 3))
    return zip(thumbnail.values, surroundings.values).reduce(0 as Float) { sum, pair in
      let deviation = pair.0 - pair.1
      return sum + deviation * deviation * deviation
    } > 0
  }

  /// The brightness of the ground: of the picture where no ink is, and under ink that around it.
  ///
  /// A first estimate, by which ink is found, is the grey closing: it fills what is narrower than its square, as strokes
  /// are. `nil` where nothing is darker than that.
  private static func ground(of thumbnail: Plane) -> Plane? {
    let radius = max(2, min(thumbnail.width, thumbnail.height) / 6)
    let contrast = thumbnail.darkening(below: thumbnail.closed(radius: radius).smoothed(radius: 1))
    let strokes = contrast.values.filter { $0 > leastContrast }
    guard !strokes.isEmpty else { return nil }
    let edge = threshold(strokes) / 2
    let isGround = contrast.map { $0 > edge ? 1 : 0 }.dilated(radius: 1).map { 1 - $0 }
    return thumbnail.filled(where: isGround)
  }

  /// Otsu's threshold: that which leaves the least variance within the two classes. Of values from 0 to 1.
  /// Source: N. Otsu, "A threshold selection method from gray-level histograms", 1979.
  private static func threshold(_ values: [Float]) -> Float {
    let bins = 200
    var counts = [Double](repeating: 0, count: bins)
    for value in values { counts[min(Int(value * Float(bins)), bins - 1)] += 1 }
    func center(_ bin: Int) -> Double { (Double(bin) + 0.5) / Double(bins) }
    let moment = counts.indices.reduce(0) { $0 + counts[$1] * center($1) }
    var (below, momentBelow, best) = (0.0, 0.0, (variance: -1.0, bin: 0))
    for bin in 0..<bins {
      below += counts[bin]
      momentBelow += counts[bin] * center(bin)
      let above = Double(values.count) - below
      if below == 0 || above == 0 { continue }
      let difference = momentBelow / below - (moment - momentBelow) / above
      let variance = below * above * difference * difference
      if variance > best.variance { best = (variance, bin) }
    }
    return Float(center(best.bin))
  }

  /// The value below which that share of `values` lies, from 0 to 1, to a thousandth.
  private static func quantile(_ share: Double, of values: [Float]) -> Float {
    var counts = [Int](repeating: 0, count: 1001)
    for value in values { counts[Int(value * 1000)] += 1 }
    var left = Int(share * Double(values.count))
    let bin = counts.firstIndex { count in
      left -= count
      return left < 0
    }
    return Float(bin ?? 1000) / 1000
  }

  /// The smallest box that holds all strokes.
  var bounds: (columns: Range<Int>, rows: Range<Int>)? {
    var (left, right, top, bottom) = (plane.width, -1, plane.height, -1)
    for y in 0..<plane.height {
      for x in 0..<plane.width where plane.values[y * plane.width + x] >= 0.5 {
        (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
      }
    }
    return right < 0 ? nil : (left..<(right + 1), top..<(bottom + 1))
  }
}

extension Plane {
  /// Parts with less than this share of the largest one's pixels are specks.
  private static let speckShare = 0.03
  /// Where inner parts have this share of the largest one's pixels, those at the picture's edge are no strokes.
  private static let innerShare = 0.2

  /// Sets all but the large connected parts of what is not 0 to 0; of these, those that touch the edge of the picture
  /// only if there is little else.
  ///
  /// - Returns: Whether all that is kept touches the edge of the picture.
  fileprivate mutating func keepLargeParts() -> Bool {
    var parts = connectedParts()
    let inner = parts.filter { !$0.touchesEdge }
    func largest(_ parts: [Part]) -> Double { Double(parts.map(\.pixels.count).max() ?? 0) }
    if largest(inner) >= Self.innerShare * largest(parts) { parts = inner }
    let least = Self.speckShare * largest(parts)
    parts = parts.filter { Double($0.pixels.count) >= least }
    var result = [Float](repeating: 0, count: values.count)
    for pixel in parts.lazy.flatMap(\.pixels) { result[pixel] = values[pixel] }
    values = result
    return parts.allSatisfy(\.touchesEdge)
  }

  private typealias Part = (pixels: [Int], touchesEdge: Bool)

  private func connectedParts() -> [Part] {
    var isSeen = values.map { $0 == 0 }
    var parts: [Part] = []
    for start in values.indices where !isSeen[start] {
      var (pixels, next, touchesEdge) = ([start], 0, false)
      isSeen[start] = true
      while next < pixels.count {
        let (y, x) = pixels[next].quotientAndRemainder(dividingBy: width)
        next += 1
        if x == 0 || y == 0 || x == width - 1 || y == height - 1 { touchesEdge = true }
        for row in max(0, y - 1)...min(height - 1, y + 1) {
          for column in max(0, x - 1)...min(width - 1, x + 1) where !isSeen[row * width + column] {
            isSeen[row * width + column] = true
            pixels.append(row * width + column)
          }
        }
      }
      parts.append((pixels, touchesEdge))
    }
    return parts
  }
}

extension Image {
  /// In grey, in its own proportions, with at most `side` pixels along the longer side.
  fileprivate func shrunk(to side: Int) -> Image {
    let longer = max(width, height)
    if longer <= side { return resized(toWidth: width, height: height, channels: 1) }
    return resized(toWidth: max(1, width * side / longer), height: max(1, height * side / longer), channels: 1)
  }
}
