import ApusCore

/// Sizes of a pooling of images NHWC.
struct PoolShape {
  let n: Int, h: Int, w: Int, c: Int
  let p: Int, q: Int
  let attributes: Pool2DAttributes

  init(_ attributes: Pool2DAttributes, image: [Int], result: [Int]) {
    (n, h, w, c) = (image[0], image[1], image[2], image[3])
    (p, q) = (result[1], result[2])
    self.attributes = attributes
  }

  /// The image's rows that windows at height `p` cover; never empty, for padding is smaller than a window.
  func rows(_ p: Int) -> Range<Int> {
    let start = p * attributes.window.strideY - attributes.window.top
    return max(start, 0)..<min(start + attributes.height, h)
  }

  /// The image's columns that windows at width `q` cover.
  func columns(_ q: Int) -> Range<Int> {
    let start = q * attributes.window.strideX - attributes.window.left
    return max(start, 0)..<min(start + attributes.width, w)
  }

  /// What a mean divides by.
  func divisor(_ p: Int, _ q: Int) -> Int {
    switch attributes.kind {
    case .max: 1
    case .average: rows(p).count * columns(q).count
    case .averageIncludingPadding: attributes.height * attributes.width
    }
  }

  func imageIndex(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Int { ((n * self.h + h) * self.w + w) * self.c + c }
  func resultIndex(_ n: Int, _ p: Int, _ q: Int, _ c: Int) -> Int { ((n * self.p + p) * self.q + q) * self.c + c }
}
