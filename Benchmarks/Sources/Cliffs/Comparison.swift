import Apus
import ApusBenchmark

/// An odd operation beside its round neighbour, timed in turns: the speed of a machine that others share changes.
struct Comparison {
  /// Of the odd operation, a multiply-add counted as two operations; the median.
  let gflops: Double
  /// Its rate over that of its neighbour; the median.
  let ratio: Double

  private static let rounds = 9
  private static let sample = Duration.milliseconds(8)

  init(_ odd: OperationBenchmark, _ round: OperationBenchmark, on device: Device) throws {
    let pair = try [odd, round].map { try OperationRuns($0, on: device) }
    let counts = try pair.map { work in
      var shortest = try work.duration(ofRuns: 1)
      for _ in 0..<4 { shortest = min(shortest, try work.duration(ofRuns: 1)) }
      return max(1, Int(Self.sample / shortest))
    }
    var rates: [Double] = []
    var ratios: [Double] = []
    for _ in 0..<Self.rounds {
      let both = try zip(pair, counts).map { work, count in
        work.operations * Double(count) * 1e-9 / (try work.duration(ofRuns: count) / .seconds(1))
      }
      rates.append(both[0])
      ratios.append(both[0] / both[1])
    }
    gflops = Self.median(rates)
    ratio = Self.median(ratios)
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
