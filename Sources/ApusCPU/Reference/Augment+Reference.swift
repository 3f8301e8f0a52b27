import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Invocation<CPUBuffer> {
  /// The edits of `kernels/augment.cl`, one picture after another.
  func referenceAugment(_ augment: Augment) -> () -> Void {
    let shape = inputs[0].shape
    let (x, edits, y) = (Elements(inputs[0]), Elements(inputs[1]), Elements(output))
    let count = shape[1] * shape[2] * shape[3]
    return {
      for n in 0..<shape[0] {
        var picture = Picture(
          height: shape[1], width: shape[2], channels: shape[3], white: Double(augment.white),
          values: (0..<count).map { x[n * count + $0] })
        for slot in 0..<augment.slots {
          let first = (n * augment.slots + slot) * EditCode.stride
          picture.apply((0..<EditCode.stride).map { edits[first + $0] })
        }
        for (i, value) in picture.values.enumerated() { y[n * count + i] = value }
      }
    }
  }
}

/// A picture in float64.
private struct Picture {
  let height, width, channels: Int
  let white: Double
  var values: [Double]

  /// The value at a place, where every one has some; the edit tells what is outside.
  private func value(_ row: Int, _ column: Int, _ c: Int, _ border: Int, _ fill: Double) -> Double {
    guard let row = place(row, height, border), let column = place(column, width, border) else { return fill }
    return values[(row * width + column) * channels + c]
  }

  private func place(_ i: Int, _ count: Int, _ border: Int) -> Int? {
    if (0..<count).contains(i) { return i }
    func modulo(_ period: Int) -> Int { ((i % period) + period) % period }
    switch border {
    case 1: return i < 0 ? 0 : count - 1
    case 2:
      let j = modulo(max(2 * count - 2, 1))
      return j < count ? j : 2 * count - 2 - j
    case 3:
      let j = modulo(2 * count)
      return j < count ? j : 2 * count - 1 - j
    case 4: return modulo(count)
    default: return nil
    }
  }

  private func into(_ v: Double) -> Double { min(max(v, 0), white) }

  private func grey(_ pixel: Int) -> Double {
    let p = values[(pixel * channels)..<((pixel + 1) * channels)]
    if channels == 3 { return 0.2989 * p[p.startIndex] + 0.587 * p[p.startIndex + 1] + 0.114 * p[p.startIndex + 2] }
    return p.reduce(0, +) / Double(channels)
  }

  private func level(_ v: Double) -> Int { Int((min(max(v * 255 / white, 0), 255) + 0.5).rounded(.down)) }

  private func each(_ change: (_ value: Double, _ pixel: Int, _ c: Int) -> Double) -> [Double] {
    values.indices.map { change(values[$0], $0 / channels, $0 % channels) }
  }

  private func channel(_ c: Int) -> [Double] { stride(from: c, to: values.count, by: channels).map { values[$0] } }

  mutating func apply(_ e: [Double]) {
    switch EditCode(rawValue: Int(e[0]))! {
    case .none: break
    case .shift, .warp, .nearest: move(e)
    case .linear: values = each { v, _, _ in into(v * e[1] + white * e[2]) }
    case .contrast:
      let pixels = height * width
      let all = (0..<pixels).map(grey).reduce(0, +) / Double(pixels)
      let means = (0..<channels).map { e[2] != 0 ? channel($0).reduce(0, +) / Double(pixels) : all }
      values = each { v, _, c in into(means[c] + (v - means[c]) * e[1]) }
    case .saturation where channels == 3:
      values = each { v, pixel, _ in
        let grey = grey(pixel)
        return into(grey + (v - grey) * e[1])
      }
    case .hue where channels == 3: turnHue(e[1])
    case .saturation, .hue: break
    case .gamma: values = each { v, _, _ in into(white * e[2] * pow(max(v, 0) / white, e[1])) }
    case .grey: values = each { _, pixel, _ in grey(pixel) }
    case .posterize: values = each { v, _, _ in Double(level(v) & (256 - 1 << (8 - Int(e[1])))) * white / 255 }
    case .solarize: values = each { v, _, _ in v >= white * e[1] ? white - v : v }
    case .autocontrast:
      let ranges = (0..<channels).map { (channel($0).min()!, channel($0).max()!) }
      values = each { v, _, c in
        let (least, most) = ranges[c]
        return most > least ? (v - least) * white / (most - least) : v
      }
    case .equalize: equalize()
    case .sharpness: sharpen(e[1])
    case .blur: blur(Int(e[1]), deviation: e[2])
    case .erase:
      for row in Int(e[1])..<Int(e[1] + e[3]) {
        for column in Int(e[2])..<Int(e[2] + e[4]) {
          for c in 0..<channels { values[(row * width + column) * channels + c] = e[5] }
        }
      }
    }
  }

  private mutating func move(_ e: [Double]) {
    let (code, border, fill) = (EditCode(rawValue: Int(e[0]))!, Int(e[1]), e[2])
    var result = values
    for row in 0..<height {
      for column in 0..<width {
        let (x, y) = (Double(column), Double(row))
        var (u, v) = (e[3] * x + e[4], e[5] * y + e[6])
        if code != .shift {
          let z = e[9] * x + e[10] * y + 1
          (u, v) = ((e[3] * x + e[4] * y + e[5]) / z, (e[6] * x + e[7] * y + e[8]) / z)
          (u, v) = (min(max(-1e6, u), 1e6), min(max(-1e6, v), 1e6))
        }
        for c in 0..<channels {
          let at = (row * width + column) * channels + c
          if code == .nearest {
            result[at] = value(Int((v + 0.5).rounded(.down)), Int((u + 0.5).rounded(.down)), c, border, fill)
            continue
          }
          let (left, top) = (u.rounded(.down), v.rounded(.down))
          var sum = 0.0
          for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let weight = (dx == 1 ? u - left : 1 - (u - left)) * (dy == 1 ? v - top : 1 - (v - top))
            if weight != 0 { sum += weight * value(Int(top) + dy, Int(left) + dx, c, border, fill) }
          }
          result[at] = sum
        }
      }
    }
    values = result
  }

  /// To hue, saturation and value, and back.
  private mutating func turnHue(_ turn: Double) {
    for pixel in 0..<(height * width) {
      let (r, g, b) = (values[pixel * 3] / white, values[pixel * 3 + 1] / white, values[pixel * 3 + 2] / white)
      let (most, least) = (max(r, g, b), min(r, g, b))
      guard most > least else { continue }
      let range = most - least
      let sector = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range
      var hue = sector / 6 + turn
      hue -= hue.rounded(.down)
      let (saturation, i) = (range / most, (hue * 6).rounded(.down))
      let f = hue * 6 - i
      let (p, q, t) = (most * (1 - saturation), most * (1 - saturation * f), most * (1 - saturation * (1 - f)))
      let colour = [[most, t, p], [q, most, p], [p, most, t], [p, q, most], [t, p, most], [most, p, q]][Int(i) % 6]
      for c in 0..<3 { values[pixel * 3 + c] = colour[c] * white }
    }
  }

  private mutating func equalize() {
    let tables = (0..<channels).map { c -> [Int] in
      var counts = [Int](repeating: 0, count: 256)
      for v in channel(c) { counts[level(v)] += 1 }
      let step = (counts.reduce(0, +) - counts.last { $0 > 0 }!) / 255
      guard step > 0 else { return Array(0..<256) }
      var sum = step / 2
      return counts.map { count in
        defer { sum += count }
        return min(sum / step, 255)
      }
    }
    values = each { v, _, c in Double(tables[c][level(v)]) * white / 255 }
  }

  private mutating func sharpen(_ factor: Double) {
    let old = self
    for row in stride(from: 1, to: height - 1, by: 1) {
      for column in stride(from: 1, to: width - 1, by: 1) {
        for c in 0..<channels {
          let middle = old.value(row, column, c, 0, 0)
          var sum = 4 * middle
          for y in -1...1 { for x in -1...1 { sum += old.value(row + y, column + x, c, 0, 0) } }
          values[(row * width + column) * channels + c] = into(sum / 13 + (middle - sum / 13) * factor)
        }
      }
    }
  }

  private mutating func blur(_ size: Int, deviation: Double) {
    let radius = size / 2
    let weights = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (deviation * deviation)) }
    let total = weights.reduce(0, +)
    for (dy, dx) in [(0, 1), (1, 0)] {
      let old = self
      for row in 0..<height {
        for column in 0..<width {
          for c in 0..<channels {
            var sum = 0.0
            for (k, weight) in zip(-radius...radius, weights) {
              sum += weight * old.value(row + dy * k, column + dx * k, c, 2, 0)
            }
            values[(row * width + column) * channels + c] = sum / total
          }
        }
      }
    }
  }
}
