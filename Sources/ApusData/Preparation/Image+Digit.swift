import ApusCore

extension Image {
  /// A digit as the makers of MNIST prepared theirs, from a photograph or a scan of it: white ink on black.
  ///
  /// The ground is removed, with shadows and uneven light; the ink, dark or light, becomes light on black; its bounding
  /// box is scaled to fit 20 x 20 pixels in its own proportions, and its centre of mass comes to the centre of 28 x 28
  /// pixels (of other shapes: the same share of the shorter side). The picture must show one digit, upright.
  ///
  /// ```swift
  /// let digit = try Image(contentsOf: "seven.jpg").digit()
  /// print(try trainer.probabilities(digit.pixels.reshaped([1, 28, 28, 1])))
  /// ```
  /// Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".
  ///
  /// - Parameters:
  ///   - shape: height, width and channels of the result.
  ///   - name: what messages call the picture.
  /// - Throws: `DataError` for a picture in which nothing stands out from its ground.
  public func digit(shape: [Int] = [28, 28, 1], name: String = "the picture") throws -> Image {
    precondition(
      shape.count == 3 && shape[0] > 0 && shape[1] > 0 && [1, 3].contains(shape[2]), "Image: a shape of \(shape)")
    guard let ink = Ink(of: self), let bounds = ink.bounds else {
      throw DataError(
        .malformed, at: name, "no digit is found: nothing stands out from the ground",
        advice: "take a picture with more contrast, in which the digit is larger and has ground on all sides")
    }
    let (height, width) = (shape[0], shape[1])
    // 20 of 28 pixels.
    let side = max(1, (min(height, width) * 20 + 14) / 28)
    let scale = Double(side) / Double(max(bounds.columns.count, bounds.rows.count))
    func scaled(_ length: Int) -> Int { min(side, max(1, Int((Double(length) * scale).rounded()))) }
    let box = ink.plane.image.cropped(to: bounds.columns, bounds.rows)
      .resized(toWidth: scaled(bounds.columns.count), height: scaled(bounds.rows.count))

    // MNIST's centres of mass lie around pixel 14 of 0 to 27.
    let values = box.pixels.bytes
    var (mass, massX, massY) = (0, 0, 0)
    for (index, value) in values.enumerated() {
      mass += Int(value)
      massX += Int(value) * (index % box.width)
      massY += Int(value) * (index / box.width)
    }
    func offset(_ moment: Int, _ length: Int, of whole: Int) -> Int {
      let offset = (Double(whole) / 2 - Double(moment) / Double(max(mass, 1))).rounded()
      return min(max(Int(offset), 0), whole - length)
    }
    let (left, top) = (offset(massX, box.width, of: width), offset(massY, box.height, of: height))
    var pixels = [UInt8](repeating: 0, count: height * width)
    for y in 0..<box.height {
      for x in 0..<box.width { pixels[(top + y) * width + left + x] = values[y * box.width + x] }
    }
    return Image(unchecked: NDArray(bytes: pixels, shape: [height, width, 1], dtype: .uint8)!)
      .resized(toWidth: width, height: height, channels: shape[2])
  }

  private func cropped(to columns: Range<Int>, _ rows: Range<Int>) -> Image {
    let bytes = pixels.bytes
    return Image(
      unchecked: NDArray(shape: [rows.count, columns.count, channels]) { (out: UnsafeMutableBufferPointer<UInt8>) in
        var position = 0
        for y in rows {
          for i in (columns.lowerBound * channels)..<(columns.upperBound * channels) {
            out[position] = bytes[y * width * channels + i]
            position += 1
          }
        }
      })
  }
}
