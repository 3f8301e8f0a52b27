/// The ground under the transparent parts of a picture.
public enum Background: Hashable, Sendable {
  /// White under dark ink and black under light ink, so that no ground swallows what is drawn: by the mean brightness
  /// of the picture's pixels, each weighed by how opaque it is.
  case contrasting
  case color(red: UInt8, green: UInt8, blue: UInt8)

  public static let white = Background.color(red: 255, green: 255, blue: 255)
  public static let black = Background.color(red: 0, green: 0, blue: 0)

  /// `auto`, `white`, `black` or `#RRGGBB`; `nil` for other text.
  public init?(parsing text: String) {
    switch text.lowercased() {
    case "auto": self = .contrasting
    case "white": self = .white
    case "black": self = .black
    default:
      let digits = text.utf8.dropFirst()
      guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6,
        digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }), let value = UInt32(text.dropFirst(), radix: 16)
      else { return nil }
      self = .color(red: UInt8(value >> 16), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
    }
  }

  /// As `init(parsing:)` reads it.
  public var text: String {
    switch self {
    case .contrasting: "auto"
    case .white: "white"
    case .black: "black"
    case .color(let red, let green, let blue):
      "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
    }
  }

  /// `nil` for one that depends on the picture.
  var color: (red: UInt8, green: UInt8, blue: UInt8)? {
    if case .color(let red, let green, let blue) = self { (red, green, blue) } else { nil }
  }

  /// `alpha * colour + (1 - alpha) * ground`, rounded, for pixels whose last of 2 or 4 channels is alpha.
  func under(_ pixels: UnsafeBufferPointer<UInt8>, channels: Int) -> [UInt8] {
    let colors = channels - 1
    let ground = ground(under: pixels, channels: channels).map(Int.init)
    return [UInt8](unsafeUninitializedCapacity: pixels.count / channels * colors) { out, initialized in
      for start in stride(from: 0, to: pixels.count, by: channels) {
        let alpha = Int(pixels[start + colors])
        for color in 0..<colors {
          let sum = Int(pixels[start + color]) * alpha + ground[color] * (255 - alpha)
          out[initialized] = UInt8((sum + 127) / 255)
          initialized += 1
        }
      }
    }
  }

  /// The ground's colour in the picture's channels.
  private func ground(under pixels: UnsafeBufferPointer<UInt8>, channels: Int) -> [UInt8] {
    switch self {
    case .color(let red, let green, let blue):
      return channels == 4 ? [red, green, blue] : [Image.grey(red, green, blue)]
    case .contrasting:
      var (ink, weight) = (0, 0)
      for start in stride(from: 0, to: pixels.count, by: channels) {
        let alpha = Int(pixels[start + channels - 1])
        let brightness =
          channels == 4 ? Image.grey(pixels[start], pixels[start + 1], pixels[start + 2]) : pixels[start]
        ink += alpha * Int(brightness)
        weight += alpha
      }
      return [UInt8](repeating: 2 * ink > 255 * weight ? 0 : 255, count: channels - 1)
    }
  }
}

extension Background: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let background = Background(parsing: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no ground")
    }
    self = background
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension Background: CustomStringConvertible {
  public var description: String { text }
}
