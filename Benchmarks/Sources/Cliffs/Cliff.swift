import ApusBenchmark

/// Two shapes of one operation: an odd one and a round neighbour, which should run at the same rate.
struct Cliff {
  /// The shape that is odd, and what changes in its neighbour.
  let name, neighbour: String
  /// All passes of both, in the same order.
  let odd, round: [OperationBenchmark]

  /// Odd channels, batches and maps among the layers of CNNs. Powers of two and multiples of 16 are round; of two
  /// neighbours it is the one that leaves no lane of a vector empty, or both.
  static let all: [Cliff] =
    [(3, 4), (10, 8), (10, 16), (24, 16), (24, 32), (100, 96)].map { channels("input channels", $0, $1) { ($0, 64) } }
    + [(3, 4), (10, 8), (10, 16), (24, 16), (24, 32), (100, 96)].map { channels("filters", $0, $1) { (64, $0) } }
    + [(24, 32), (100, 96)].map { channels("channels and filters", $0, $1) { ($0, $0) } }
    + [(24, 32), (100, 96)].map { pointwise($0, $1) }
    + [(24, 32), (100, 96)].map { depthwise($0, $1) }
    + [(1, 2), (3, 4), (31, 32), (33, 32)].map { batch($0, $1) }
    + [(7, 8), (13, 12), (15, 16), (27, 28), (29, 28), (55, 56)].map { map($0, $1) }
    + [(27, 28), (29, 28)].map { strided($0, $1, channels: 64, filters: 128, window: 3) }
    + [(223, 224)].map { strided($0, $1, channels: 3, filters: 64, window: 7) }
    + [(10, 16), (24, 32), (100, 96), (1000, 1024)].map { dense("outputs", $0, $1) { (64, 1600, $0) } }
    + [(100, 96), (1599, 1600)].map { dense("inputs", $0, $1) { (64, $0, 128) } }
    + [(1, 2), (10, 8), (63, 64), (65, 64)].map { dense("batch", $0, $1) { ($0, 1600, 128) } }

  private static func channels(
    _ what: String, _ odd: Int, _ round: Int, _ counts: (Int) -> (channels: Int, filters: Int)
  ) -> Cliff {
    let (c, k) = counts(odd)
    return Cliff("3x3, 28x28x\(c) to \(k), batch 16", "\(what) \(round)", odd, round) {
      let (channels, filters) = counts($0)
      return OperationBenchmark.convolution(batch: 16, size: 28, channels: channels, filters: filters, window: 3)
    }
  }

  private static func pointwise(_ odd: Int, _ round: Int) -> Cliff {
    Cliff("1x1, 28x28x\(odd) to \(odd), batch 16", "channels and filters \(round)", odd, round) {
      OperationBenchmark.convolution(batch: 16, size: 28, channels: $0, filters: $0, window: 1)
    }
  }

  private static func depthwise(_ odd: Int, _ round: Int) -> Cliff {
    Cliff("3x3 depthwise, 28x28x\(odd), batch 16", "channels \(round)", odd, round) {
      OperationBenchmark.convolution(batch: 16, size: 28, channels: $0, filters: $0, window: 3, groups: $0)
    }
  }

  private static func batch(_ odd: Int, _ round: Int) -> Cliff {
    Cliff("3x3, 28x28x64 to 64, batch \(odd)", "batch \(round)", odd, round) {
      OperationBenchmark.convolution(batch: $0, size: 28, channels: 64, filters: 64, window: 3)
    }
  }

  private static func map(_ odd: Int, _ round: Int) -> Cliff {
    Cliff("3x3, \(odd)x\(odd)x64 to 64, batch 16", "map \(round)", odd, round) {
      OperationBenchmark.convolution(batch: 16, size: $0, channels: 64, filters: 64, window: 3)
    }
  }

  private static func strided(_ odd: Int, _ round: Int, channels: Int, filters: Int, window: Int) -> Cliff {
    Cliff(
      "\(window)x\(window) stride 2, \(odd)x\(odd)x\(channels) to \(filters), batch 8", "map \(round)", odd, round
    ) {
      OperationBenchmark.convolution(
        batch: 8, size: $0, channels: channels, filters: filters, window: window, stride: 2)
    }
  }

  private static func dense(
    _ what: String, _ odd: Int, _ round: Int, _ sizes: (Int) -> (batch: Int, inputs: Int, outputs: Int)
  ) -> Cliff {
    let (batch, inputs, outputs) = sizes(odd)
    return Cliff("dense, batch \(batch), \(inputs) to \(outputs)", "\(what) \(round)", odd, round) {
      let (batch, inputs, outputs) = sizes($0)
      return OperationBenchmark.product("dense", batch, inputs, outputs)
    }
  }

  private init(
    _ name: String, _ neighbour: String, _ odd: Int, _ round: Int, _ operations: (Int) -> [OperationBenchmark]
  ) {
    (self.name, self.neighbour) = (name, neighbour)
    (self.odd, self.round) = (operations(odd), operations(round))
  }
}
