import ApusCore

/// One rise and one long fall, each half a cosine: from `peak / startDivisor` to `peak` in the first `rise` of the
/// steps, then down to `peak / startDivisor / endDivisor` at the last, where it stays.
///
/// PyTorch's `OneCycleLR` with its defaults. Smith and Topin, "Super-convergence", 2018.
public struct OneCycle: Schedule {
  public let peak: Double
  /// Steps of the whole cycle.
  public let over: Int
  /// Share of the steps in which the value rises.
  public let rise: Double
  public let startDivisor: Double
  public let endDivisor: Double

  private enum CodingKeys: String, CodingKey {
    case peak, over, rise
    case startDivisor = "start_divisor"
    case endDivisor = "end_divisor"
  }

  public init(
    peak: Double, over: Int, rise: Double = 0.3, startDivisor: Double = 25, endDivisor: Double = 1e4
  ) {
    (self.peak, self.over, self.rise) = (peak, over, rise)
    (self.startDivisor, self.endDivisor) = (startDivisor, endDivisor)
  }

  public func value(after steps: Int) -> Double {
    let (start, step) = (peak / startDivisor, Double(steps))
    let (top, last) = (rise * Double(over) - 1, Double(over) - 1)
    if step <= top { return Self.between(start, peak, share: top > 0 ? step / top : 1) }
    return Self.between(peak, start / endDivisor, share: last > top ? min((step - top) / (last - top), 1) : 1)
  }

  private static func between(_ first: Double, _ last: Double, share: Double) -> Double {
    last + (first - last) * (1 + Double.cos(.pi * share)) / 2
  }

  public var problem: String? {
    if let problem = stepsProblem(over, "over") { return problem }
    if !(0...1).contains(rise) { return "a rise of \(rise) of the steps; it must be in 0...1" }
    return startDivisor > 0 && endDivisor > 0
      ? nil : "its divisors are \(startDivisor), \(endDivisor); both must be above 0"
  }
}

extension HyperparameterConvertible where Self == OneCycle {
  /// `OneCycle(...)`, for `learningRate: .oneCycle(peak: 0.1, over: 10_000)`.
  public static func oneCycle(
    peak: Double, over: Int, rise: Double = 0.3, startDivisor: Double = 25, endDivisor: Double = 1e4
  ) -> OneCycle {
    OneCycle(peak: peak, over: over, rise: rise, startDivisor: startDivisor, endDivisor: endDivisor)
  }
}
