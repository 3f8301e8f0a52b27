import Apus
import ApusBenchmark

/// One operation's speed.
struct Rate: Encodable {
  var operation: String
  /// Of one run among many that are waited for together; the median of rounds.
  var microseconds: Double
  /// A multiply-add counted as two operations, whatever algorithm computes it.
  var gflops: Double
  /// Both operands and the forward result once; a gradient reads two of them and writes the third.
  var gbPerS: Double
  /// Opening, compiling and the first run.
  var firstRunSeconds: Double

  private static let rounds = 5

  init(_ operation: OperationBenchmark, on device: Device, seconds: Double) throws {
    let start = ContinuousClock.now
    let runs = try OperationRuns(operation, on: device)
    _ = try runs.duration(ofRuns: 1)
    firstRunSeconds = (ContinuousClock.now - start) / .seconds(1)
    var shortest = try runs.duration(ofRuns: 1) / .seconds(1)
    if seconds > 0 { shortest = min(shortest, try runs.duration(ofRuns: 3) / .seconds(3)) }
    let count = max(1, Int(seconds / Double(Self.rounds) / shortest))
    let times = try (0..<(seconds > 0 ? Self.rounds : 1)).map { _ in
      try runs.duration(ofRuns: count) / .seconds(1) / Double(count)
    }
    let median = times.sorted()[times.count / 2]
    self.operation = operation.name
    microseconds = median * 1e6
    gflops = operation.operations / median * 1e-9
    gbPerS = Double(operation.bytes) / median * 1e-9
  }
}
