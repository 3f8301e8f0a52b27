/// Draws one digit with a round pen.
struct DigitCanvas {
  static let side = 28
  /// Straight pieces in which a curve is drawn between two control points.
  private static let piecesPerCurve = 4

  /// The squared distance of each pixel's centre from the pen's line, as far as it matters.
  private var squaredDistance = [Double](repeating: .infinity, count: side * side)
  private var pixels = [UInt8](repeating: 0, count: side * side)

  func copyPixels(to out: UnsafeMutableBufferPointer<UInt8>) {
    _ = out.update(fromContentsOf: pixels)
  }

  /// Draws a digit, as written by chance; replaces what was there.
  mutating func drawDigit(_ digit: Int, _ random: inout SplitMix64) {
    let variants = DigitGlyphs.variants[digit]
    let strokes = variants[random.below(variants.count)]
    let hand = Hand(&random)
    let reach = hand.penRadius + 1

    for index in squaredDistance.indices { squaredDistance[index] = .infinity }
    for stroke in strokes {
      let points = stroke.points.map { point in
        let moved = point + SIMD2(random.uniform(-0.07, 0.07), random.uniform(-0.07, 0.07))
        return hand.place(moved)
      }
      draw(stroke.kind, points, reach: reach)
    }
    // One picture in three has a slip of the pen.
    if random.below(3) == 0 {
      let start = SIMD2(random.uniform(2, 26), random.uniform(2, 26))
      let end = start + SIMD2(random.uniform(-6, 6), random.uniform(-6, 6))
      drawSegment(start, end, reach: reach)
    }

    let ink = random.uniform(130, 255)
    let noise = random.uniform(0, 60)
    for start in stride(from: 0, to: pixels.count, by: 8) {
      var bits = random.next()
      for index in start..<(start + 8) {
        let coverage = min(1, max(0, hand.penRadius + 0.5 - squaredDistance[index].squareRoot()))
        let value = ink * coverage + noise * (Double(bits & 0xFF) / 128 - 1)
        pixels[index] = UInt8(min(255, max(0, value)))
        bits >>= 8
      }
    }
  }

  private mutating func draw(_ kind: Stroke.Kind, _ points: [SIMD2<Double>], reach: Double) {
    switch kind {
    case .line:
      for (start, end) in zip(points, points.dropFirst()) { drawSegment(start, end, reach: reach) }
    case .curve:
      // Ends at the middle of neighbouring points, with the point between as control; the outer ends are the points.
      for i in 1..<(points.count - 1) {
        let start = i == 1 ? points[0] : (points[i - 1] + points[i]) / 2
        let end = i == points.count - 2 ? points[i + 1] : (points[i] + points[i + 1]) / 2
        drawCurve(start, points[i], end, reach: reach)
      }
    case .loop:
      for i in points.indices {
        let before = points[(i + points.count - 1) % points.count]
        let after = points[(i + 1) % points.count]
        drawCurve((before + points[i]) / 2, points[i], (points[i] + after) / 2, reach: reach)
      }
    }
  }

  /// The quadratic Bézier curve `(1-t)^2 start + 2t(1-t) control + t^2 end`.
  private mutating func drawCurve(
    _ start: SIMD2<Double>, _ control: SIMD2<Double>, _ end: SIMD2<Double>, reach: Double
  ) {
    var last = start
    for piece in 1...Self.piecesPerCurve {
      let t = Double(piece) / Double(Self.piecesPerCurve)
      let first = start * ((1 - t) * (1 - t))
      let middle = control * (2 * t * (1 - t))
      let point = first + middle + end * (t * t)
      drawSegment(last, point, reach: reach)
      last = point
    }
  }

  /// Lowers the distances of the pixels around a straight piece.
  private mutating func drawSegment(_ a: SIMD2<Double>, _ b: SIMD2<Double>, reach: Double) {
    let dx = b.x - a.x
    let dy = b.y - a.y
    let squaredLength = max(dx * dx + dy * dy, 1e-12)
    let columns = Self.pixels(from: min(a.x, b.x) - reach, to: max(a.x, b.x) + reach)
    let rows = Self.pixels(from: min(a.y, b.y) - reach, to: max(a.y, b.y) + reach)
    for row in rows {
      for column in columns {
        let px = Double(column) + 0.5 - a.x
        let py = Double(row) + 0.5 - a.y
        let t = min(1, max(0, (px * dx + py * dy) / squaredLength))
        let qx = px - t * dx
        let qy = py - t * dy
        let index = row * Self.side + column
        squaredDistance[index] = min(squaredDistance[index], qx * qx + qy * qy)
      }
    }
  }

  /// The pixels whose centres lie between two places, cut at the picture's edge.
  private static func pixels(from low: Double, to high: Double) -> Range<Int> {
    let first = min(max(Int((low - 0.5).rounded(.up)), 0), side)
    return first..<min(max(Int((high - 0.5).rounded(.down)) + 1, first), side)
  }
}

/// How one digit is written: pen, size, slant, rotation and place.
private struct Hand {
  let penRadius: Double
  private let xAxis: SIMD2<Double>
  private let yAxis: SIMD2<Double>
  private let center: SIMD2<Double>

  init(_ random: inout SplitMix64) {
    penRadius = random.uniform(0.5, 1.7)
    let width = random.uniform(7, 14)
    let height = random.uniform(12, 20)
    let slant = random.uniform(-0.15, 0.45)
    // The half-angle's tangent gives sine and cosine without a library function, whose last bit may differ.
    let t = random.uniform(-0.16, 0.16)  // up to 18 degrees
    let cosine = (1 - t * t) / (1 + t * t)
    let sine = 2 * t / (1 + t * t)
    xAxis = SIMD2(cosine, sine) * width
    yAxis = SIMD2(-sine - slant * cosine, cosine - slant * sine) * height
    center = SIMD2(14 + random.uniform(-3, 3), 14 + random.uniform(-3, 3))
  }

  /// From the unit square to pixels.
  func place(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let x = xAxis * (point.x - 0.5)
    let y = yAxis * (point.y - 0.5)
    return center + x + y
  }
}
