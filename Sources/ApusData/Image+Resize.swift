import ApusCore

extension Image {
  /// The picture at another size and number of channels (1 or 3); its sides are stretched independently.
  ///
  /// Each output pixel is the mean of the input under a triangle as wide as two pixels of the coarser of the two grids:
  /// bilinear interpolation when enlarging, an area average without aliasing when shrinking (Pillow's `BILINEAR`).
  /// Grey is `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601); grey becomes RGB by repetition.
  public func resized(toWidth newWidth: Int, height newHeight: Int, channels newChannels: Int? = nil) -> Image {
    let newChannels = newChannels ?? channels
    precondition(newWidth > 0 && newHeight > 0, "Image: a size of \(newWidth)x\(newHeight)")
    precondition(
      newChannels == 1 || newChannels == 3, "Image: \(newChannels) channels, 1 (grey) or 3 (RGB) are possible")
    // Fewer channels first, so that less is resampled.
    let source = newChannels == 1 ? grey : self
    if source.width == newWidth && source.height == newHeight { return newChannels == 3 ? source.rgb : source }

    let (height, width, channels) = (source.height, source.width, source.channels)
    let columns = TriangleFilter(from: width, to: newWidth)
    let rows = TriangleFilter(from: height, to: newHeight)
    // One row at a time is narrowed and added to the rows that take from it, so that a tall picture takes no memory.
    let rowCount = newWidth * channels
    var sums = [Float](repeating: 0, count: newHeight * rowCount)
    var narrowed = [Float](repeating: 0, count: rowCount)
    var first = 0
    source.pixels.withElements(as: UInt8.self) { pixels in
      for y in 0..<height {
        for x in 0..<newWidth {
          for channel in 0..<channels {
            var sum: Float = 0
            for (k, weight) in columns.weights(of: x) {
              sum += weight * Float(pixels[(y * width + k) * channels + channel])
            }
            narrowed[x * channels + channel] = sum
          }
        }
        while first < newHeight && rows.range(of: first).upperBound <= y { first += 1 }
        for row in first..<newHeight {
          guard let weight = rows.weight(of: y, in: row) else { break }
          for i in 0..<rowCount { sums[row * rowCount + i] += weight * narrowed[i] }
        }
      }
    }
    let result = sums.map { UInt8(min(255, max(0, $0.rounded()))) }
    let resized = Image(unchecked: NDArray(result, shape: [newHeight, newWidth, channels]))
    return newChannels == 3 ? resized.rgb : resized
  }

  private var grey: Image {
    if channels == 1 { return self }
    let bytes = pixels.bytes
    return Image(
      unchecked: NDArray(shape: [height, width, 1]) { (values: UnsafeMutableBufferPointer<UInt8>) in
        for i in values.indices { values[i] = Self.grey(bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2]) }
      })
  }

  /// `0.299 R + 0.587 G + 0.114 B`, the weights in 16-bit fixed point; they add up to 65536.
  static func grey(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum: Int = 19595 * Int(red) + 38470 * Int(green) + 7471 * Int(blue)
    return UInt8((sum + 32768) >> 16)
  }

  private var rgb: Image {
    if channels == 3 { return self }
    let bytes = pixels.bytes
    return Image(
      unchecked: NDArray(shape: [height, width, 3]) { (values: UnsafeMutableBufferPointer<UInt8>) in
        for i in values.indices { values[i] = bytes[i / 3] }
      })
  }
}

/// For each output position along an axis, the input positions it takes from and their weights, which add up to 1.
private struct TriangleFilter {
  private var starts: [Int] = []
  private var weights: [[Float]] = []

  init(from inputCount: Int, to outputCount: Int) {
    let scale = Double(inputCount) / Double(outputCount)
    let radius = max(scale, 1)
    for position in 0..<outputCount {
      let center = (Double(position) + 0.5) * scale
      let first = max(0, Int(center - radius + 0.5))
      let last = max(first + 1, min(inputCount, Int(center + radius + 0.5)))
      let raw = (first..<last).map { max(0, 1 - abs(Double($0) + 0.5 - center) / radius) }
      let total = raw.reduce(0, +)
      starts.append(first)
      weights.append(raw.map { Float($0 / total) })
    }
  }

  /// The input positions that an output takes from; both ends grow with the position.
  func range(of position: Int) -> Range<Int> { starts[position]..<(starts[position] + weights[position].count) }

  func weights(of position: Int) -> Zip2Sequence<Range<Int>, [Float]> {
    zip(range(of: position), weights[position])
  }

  /// How much an output takes from an input; `nil` for nothing.
  func weight(of input: Int, in position: Int) -> Float? {
    range(of: position).contains(input) ? weights[position][input - starts[position]] : nil
  }
}
