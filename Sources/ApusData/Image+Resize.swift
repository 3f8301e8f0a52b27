import ApusCore
import CImage

/// How a picture is brought to another shape.
public enum PictureFit: String, Sendable, Hashable, Codable, CaseIterable {
  /// The middle of the picture, as much of it as has the new shape's proportions.
  case crop
  /// All of it, its sides stretched independently.
  case stretch
  /// All of it, in its own proportions, on a ground that fills what is left.
  case pad
}

extension Image {
  /// The picture at another size and number of channels (1 or 3); its sides are stretched independently.
  ///
  /// Each output pixel is the mean of the input under a triangle as wide as two pixels of the coarser of the two grids:
  /// bilinear interpolation when enlarging, an area average without aliasing when shrinking (Pillow's `BILINEAR`).
  /// Grey is `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601); grey becomes RGB by repetition.
  public func resized(toWidth newWidth: Int, height newHeight: Int, channels newChannels: Int? = nil) -> Image {
    resized(
      toWidth: newWidth, height: newHeight, channels: newChannels,
      from: apus_image_box(left: 0, top: 0, width: Double(width), height: Double(height)))
  }

  /// The picture at `shape`: height, width, channels (1 or 3), resampled as by `resized`.
  ///
  /// - Parameter background: the ground that `pad` leaves; `contrasting` is black there.
  public func fitted(to shape: [Int], _ fit: PictureFit, background: Background = .black) -> Image {
    precondition(shape.count == 3, "Image: a shape of \(shape)")
    let (newHeight, newWidth, newChannels) = (shape[0], shape[1], shape[2])
    let (width, height) = (Double(width), Double(height))
    let (scaleX, scaleY) = (width / Double(newWidth), height / Double(newHeight))
    switch fit {
    case .stretch: return resized(toWidth: newWidth, height: newHeight, channels: newChannels)
    case .crop:
      // Input pixels for one of the output.
      let scale = min(scaleX, scaleY)
      let (boxWidth, boxHeight) = (scale * Double(newWidth), scale * Double(newHeight))
      return resized(
        toWidth: newWidth, height: newHeight, channels: newChannels,
        from: apus_image_box(
          left: (width - boxWidth) / 2, top: (height - boxHeight) / 2, width: boxWidth, height: boxHeight))
    case .pad:
      let scale = max(scaleX, scaleY)
      let inner = resized(
        toWidth: max(1, min(newWidth, Int((width / scale).rounded()))),
        height: max(1, min(newHeight, Int((height / scale).rounded()))), channels: newChannels)
      return inner.laid(on: background, height: newHeight, width: newWidth)
    }
  }

  private func resized(
    toWidth newWidth: Int, height newHeight: Int, channels newChannels: Int?, from box: apus_image_box
  ) -> Image {
    let newChannels = newChannels ?? channels
    precondition(newWidth > 0 && newHeight > 0, "Image: a size of \(newWidth)x\(newHeight)")
    precondition(
      newChannels == 1 || newChannels == 3, "Image: \(newChannels) channels, 1 (grey) or 3 (RGB) are possible")
    // Fewer channels first, so that less is resampled.
    let source = newChannels == 1 ? grey : self
    let isWhole = box.width == Double(width) && box.height == Double(height)
    if isWhole && source.width == newWidth && source.height == newHeight {
      return newChannels == 3 ? source.rgb : source
    }
    let resized = NDArray(shape: [newHeight, newWidth, source.channels]) { (out: UnsafeMutableBufferPointer<UInt8>) in
      let hasRoom = source.pixels.withElements(as: UInt8.self) {
        apus_image_resize(
          $0.baseAddress, UInt32(source.width), UInt32(source.height), UInt32(source.channels), box, out.baseAddress,
          UInt32(newWidth), UInt32(newHeight))
      }
      precondition(hasRoom, "Image: no memory for \(newWidth)x\(newHeight) pixels")
    }
    let image = Image(unchecked: resized)
    return newChannels == 3 ? image.rgb : image
  }

  /// In the middle of a ground of that size.
  private func laid(on background: Background, height newHeight: Int, width newWidth: Int) -> Image {
    let color = background.color ?? (0, 0, 0)
    let ground = channels == 3 ? [color.red, color.green, color.blue] : [Self.grey(color.red, color.green, color.blue)]
    let (top, left) = ((newHeight - height) / 2, (newWidth - width) / 2)
    let laid = NDArray(shape: [newHeight, newWidth, channels]) { (out: UnsafeMutableBufferPointer<UInt8>) in
      for i in out.indices { out[i] = ground[i % channels] }
      pixels.withElements(as: UInt8.self) { source in
        for y in 0..<height {
          let start = ((top + y) * newWidth + left) * channels
          for i in 0..<(width * channels) { out[start + i] = source[y * width * channels + i] }
        }
      }
    }
    return Image(unchecked: laid)
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
