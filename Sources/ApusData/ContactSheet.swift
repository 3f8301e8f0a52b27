import ApusCore

extension Image {
  /// A picture of pictures: a row for each of `rows`, on white.
  ///
  /// - Parameter shape: height, width and channels that all have.
  package static func sheet(_ rows: [[Image]], of shape: [Int]) throws -> Image {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    let gap = max(1, height / 16)
    let columns = rows.map(\.count).max() ?? 0
    let (sheetHeight, sheetWidth) = (rows.count * (height + gap) + gap, columns * (width + gap) + gap)
    let sheetShape = [sheetHeight, sheetWidth, channels]
    try HostMemory.require(sheetShape, .uint8, for: "a sheet of pictures")
    var pixels = [UInt8](repeating: 255, count: sheetShape.elementCount)
    for (row, pictures) in rows.enumerated() {
      for (column, picture) in pictures.enumerated() {
        let (top, left) = (gap + row * (height + gap), gap + column * (width + gap))
        let bytes = picture.pixels.bytes
        for y in 0..<height {
          let start = ((top + y) * sheetWidth + left) * channels
          for i in 0..<(width * channels) { pixels[start + i] = bytes[y * width * channels + i] }
        }
      }
    }
    return try Image(pixels: NDArray(pixels, shape: sheetShape))
  }
}
