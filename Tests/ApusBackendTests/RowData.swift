import ApusCore

/// Rows that are hard to sum; the formulas are those of `Tests/Fixtures/reductions.py`.
enum RowData: String, CaseIterable, Sendable {
  case noise, tiny, large, positive, constant, first, middle, last, huge, drift, alternating
  /// Outliers where `channelMoments` looks for its shift, among equal rows or noise.
  case sampled, sampledNoise
  /// Channel 0 holds one value that float32 rounds; the others noise.
  case constantChannel
  /// A huge value in all rows but one.
  case oneApart

  /// `[n, c]`
  func values(_ n: Int, _ c: Int) -> [Float] {
    let sample = ChannelSums.Sample(of: n)
    return [Float](unsafeUninitializedCapacity: n * c) { buffer, count in
      count = n * c
      for row in 0..<n {
        for channel in 0..<c {
          let index = row * c + channel
          buffer[index] = Float(value(row, channel, index, n, isSampled: row % sample.block < sample.rows))
        }
      }
    }
  }

  private func value(_ row: Int, _ channel: Int, _ index: Int, _ n: Int, isSampled: Bool) -> Double {
    var noise: Double { (0..<4).reduce(0) { $0 + Self.uniform(4 * index + $1) } - 2 }
    return switch self {
    case .noise: noise
    case .tiny: 1e-8 * noise
    case .large: 1e4 * noise
    case .positive: Self.uniform(index)
    case .constant: 0.1
    case .first: row == 0 ? 3000 : noise
    case .middle: row == n / 2 ? 3000 : noise
    case .last: row == n - 1 ? 3000 : noise
    case .huge: 1e6 + noise
    case .drift: 100 * Double(row) / Double(n) + 0.01 * noise
    case .alternating: (row % 2 == 0 ? 1e6 : -1e6) + noise
    case .sampled: isSampled ? 1000 : 0.3
    case .sampledNoise: (isSampled ? 1000 : 0) + 0.001 * noise
    case .constantChannel: channel == 0 ? 123456.789 : noise
    case .oneApart: row == n / 3 ? 1_000_000.0625 : 1e6
    }
  }

  /// A number in `0..<1` for each index, which float32 holds exactly.
  static func uniform(_ index: Int) -> Double {
    var h = (UInt64(index) &* 2_654_435_761 &+ 12345) & 0xFFFF_FFFF
    h ^= h >> 15
    h = (h &* 2_246_822_519) & 0xFFFF_FFFF
    h ^= h >> 13
    return Double(h >> 8) / 16_777_216
  }
}

/// Sums over the columns `[n, c]` in float64.
func columnSums(_ x: [Float], _ c: Int, _ term: (Double, _ column: Int) -> Double) -> [Double] {
  var sums = [Double](repeating: 0, count: c)
  for first in stride(from: 0, to: x.count, by: c) {
    for column in 0..<c { sums[column] += term(Double(x[first + column]), column) }
  }
  return sums
}
