import ApusCore
import Foundation

@testable import ApusData

/// Draws photographs of digits: blue ink on paper, in light that falls off and with a soft shadow, off the middle, turned
/// by up to 10 degrees, with a camera's noise.
struct DigitPhotograph {
  var width = 400, height = 300
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private static let paper = (red: 238.0, green: 233.0, blue: 222.0)
  private static let ink = (red: 38.0, green: 58.0, blue: 150.0)

  /// - Parameter digit: 28x28 pixels, white on black.
  mutating func draw(_ digit: [UInt8]) throws -> Image {
    // The side of the digit's 28 pixels, and where their middle is.
    let side = random.uniform(130, 230)
    let angle = random.uniform(-10, 10) * Double.pi / 180
    let (middleX, middleY) = (
      random.uniform(side / 2, Double(width) - side / 2), random.uniform(side / 2, Double(height) - side / 2)
    )
    let (cosine, sine) = (cos(angle), sin(angle))
    // Light falls to a half across the picture; behind a line it is shaded.
    let direction = random.uniform(0, 2 * Double.pi)
    let falloff = random.uniform(0.2, 0.5)
    let shadow = (
      direction: random.uniform(0, 2 * Double.pi), offset: random.uniform(-80, 80), depth: random.uniform(0.1, 0.4)
    )
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * width * height)
    for row in 0..<height {
      for column in 0..<width {
        let (x, y) = (Double(column) + 0.5 - middleX, Double(row) + 0.5 - middleY)
        let ink = Self.sample(
          digit, (cosine * x + sine * y) / side * 28 + 14, (cosine * y - sine * x) / side * 28 + 14)
        let (fromMiddleX, fromMiddleY) = (Double(column - width / 2), Double(row - height / 2))
        let along = (cos(direction) * fromMiddleX + sin(direction) * fromMiddleY) / 250
        let depth = cos(shadow.direction) * fromMiddleX + sin(shadow.direction) * fromMiddleY - shadow.offset
        let light = (1 - falloff * (along + 1) / 2) * (1 - shadow.depth / (1 + exp(-depth / 12)))
        for (paper, pen) in [
          (Self.paper.red, Self.ink.red), (Self.paper.green, Self.ink.green), (Self.paper.blue, Self.ink.blue),
        ] {
          let noise = (0..<4).reduce(0.0) { sum, _ in sum + random.uniform(-6, 6) }
          let value = light * (paper * (1 - ink) + pen * ink) + noise
          pixels.append(UInt8(min(max(value, 0), 255)))
        }
      }
    }
    return try Image(pixels: NDArray(pixels, shape: [height, width, 3]))
  }

  /// How much ink there is: between the four nearest pixels, with a pen's edge.
  private static func sample(_ digit: [UInt8], _ x: Double, _ y: Double) -> Double {
    let (left, top) = (Int((x - 0.5).rounded(.down)), Int((y - 0.5).rounded(.down)))
    let (partX, partY) = (x - 0.5 - Double(left), y - 0.5 - Double(top))
    func pixel(_ x: Int, _ y: Int) -> Double {
      (0..<28).contains(x) && (0..<28).contains(y) ? Double(digit[y * 28 + x]) / 255 : 0
    }
    let upper = pixel(left, top) * (1 - partX) + pixel(left + 1, top) * partX
    let lower = pixel(left, top + 1) * (1 - partX) + pixel(left + 1, top + 1) * partX
    return min(max((upper * (1 - partY) + lower * partY - 0.25) * 2, 0), 1)
  }
}

extension ImageDataset {
  /// Photographs of the first `count` digits, prepared by `prepare`.
  func photographed(_ count: Int, seed: UInt64, prepare: (Image) throws -> Image) throws -> ImageDataset {
    var camera = DigitPhotograph(seed: seed)
    let pixels = try (0..<count).flatMap { index in
      try prepare(camera.draw(Array(images.bytes[(index * 784)..<((index + 1) * 784)]))).pixels.bytes
    }
    return try ImageDataset(
      name: "photographs", images: NDArray(pixels, shape: [count, 28, 28, 1]), labels: labels.rows(0..<count),
      classNames: classNames)
  }
}
