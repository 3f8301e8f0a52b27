#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The marks of a chart's axis: round numbers, 1, 2 or 5 times a power of ten apart, around a range; around one value,
/// 5 percent to either side.
struct Ticks {
  let values: [Double]
  private let step: Double

  /// - Parameters:
  ///   - low: the least value, `clamped`; `high`: the greatest.
  ///   - count: at most so many steps, and one more at either end.
  init(from low: Double, to high: Double, count: Int, minimumStep: Double = 0) {
    let margin = low == high ? max(abs(high) * 0.05, 1e-9) : 0
    let (low, high) = (low - margin, high + margin)
    let wanted = max(high - low, max(abs(low), abs(high)) * 1e-3, 1e-300) / Double(count)
    let power = pow(10, log10(wanted).rounded(.down))
    let factor = [1.0, 2, 5].first { wanted <= power * $0 * (1 + 1e-9) } ?? 10
    let step = max(power * factor, minimumStep)
    let first = (low / step).rounded(.down)
    let last = max((high / step).rounded(.up), first + 1)
    values = (0...Int(last - first)).map { (first + Double($0)) * step }
    self.step = step
  }

  /// The finite `value`, or the next one of which differences are finite, too.
  static func clamped(_ value: Double) -> Double { min(max(value, -1e300), 1e300) }

  /// As many decimals as the step has; very large and very small numbers as `2e+07`.
  func label(_ value: Double) -> String {
    let largest = max(abs(values.first!), abs(values.last!))
    guard largest < 1e7, step >= 1e-9 else { return value.formatted("%.4g") }
    var places = 0
    var unit = step
    while places < 9, abs(unit - unit.rounded()) > 1e-6 * unit {
      unit *= 10
      places += 1
    }
    return value.formatted("%.\(places)f")
  }
}
