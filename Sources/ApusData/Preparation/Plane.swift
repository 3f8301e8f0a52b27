import ApusCore

/// A plane of numbers, one for each pixel of a grey picture, rows from the top.
struct Plane {
  let width: Int
  let height: Int
  var values: [Float]

  /// A grey picture's brightness, from 0 to 1.
  init(_ image: Image) {
    (width, height) = (image.width, image.height)
    values = image.pixels.bytes.map { Float($0) / 255 }
  }

  /// As a grey picture: 0 is black, 1 is white.
  var image: Image {
    Image(
      unchecked: NDArray(
        bytes: values.map { UInt8((min(max($0, 0), 1) * 255).rounded()) }, shape: [height, width, 1], dtype: .uint8)!)
  }

  func map(_ change: (Float) -> Float) -> Plane {
    var result = self
    result.values = values.map(change)
    return result
  }

  /// Grey closing: the least of the greatest values within `radius` of each pixel, in squares. Dark things narrower than
  /// the square vanish; edges of wider ones stay where they are.
  func closed(radius: Int) -> Plane { dilated(radius: radius).filtered(radius) { $0.min()! } }

  /// The greatest value within `radius` of each pixel, in squares.
  func dilated(radius: Int) -> Plane { filtered(radius) { $0.max()! } }

  /// By which share each pixel is darker than `ground`, from 0 to 1: light that falls on both does not change it.
  func darkening(below ground: Plane) -> Plane {
    var result = self
    for index in values.indices {
      result.values[index] = 1 - min(values[index] / max(ground.values[index], 1 / 255), 1)
    }
    return result
  }

  /// Where `weights` are 0 rather than 1, the mean of those pixels around for which they are 1: of the smallest square in
  /// which there are enough of them. The others are smoothed.
  func filled(where weights: Plane) -> Plane {
    var weighted = self
    for index in values.indices { weighted.values[index] *= weights.values[index] }
    var result = self
    var open = Array(values.indices)
    var radius = 1
    while !open.isEmpty {
      let (sums, shares) = (weighted.smoothed(radius: radius), weights.smoothed(radius: radius))
      let isWhole = radius >= max(width, height)
      open.removeAll { index in
        guard shares.values[index] > (isWhole ? 0 : Self.enoughShare) else { return false }
        result.values[index] = sums.values[index] / shares.values[index]
        return true
      }
      // All of it is to be filled: it stays as it is.
      if isWhole { return result }
      radius *= 2
    }
    return result
  }

  private static let enoughShare: Float = 0.25

  /// The mean of the square within `radius` of each pixel.
  func smoothed(radius: Int) -> Plane {
    radius == 0 ? self : filtered(radius) { $0.reduce(0, +) / Float($0.count) }
  }

  /// Along rows, then along columns, each window cut off at the picture's edge.
  private func filtered(_ radius: Int, _ reduce: (ArraySlice<Float>) -> Float) -> Plane {
    var result = self
    for y in 0..<height {
      let row = Array(values[(y * width)..<((y + 1) * width)])
      for x in 0..<width { result.values[y * width + x] = reduce(row[max(0, x - radius)..<min(width, x + radius + 1)]) }
    }
    for x in 0..<width {
      let column = (0..<height).map { result.values[$0 * width + x] }
      for y in 0..<height {
        result.values[y * width + x] = reduce(column[max(0, y - radius)..<min(height, y + radius + 1)])
      }
    }
    return result
  }
}
