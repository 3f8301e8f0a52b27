import ApusCore
import ApusData
import Testing

@testable import ApusTraining

/// Plans are kept for the batch sizes of late, not for all there ever were.
@Suite struct PlanBudgetTests {
  @Test func theLeastRecentlyUsedGoesFirst() {
    var kept = RecentlyUsed<Int, String>(byteLimit: 100)
    for key in 1...5 { kept.keep("\(key)", for: key, byteCount: 20) }
    #expect(kept.use(1) == "1")
    kept.keep("6", for: 6, byteCount: 20)
    #expect(kept.use(2) == nil && kept.use(1) == "1" && kept.use(3) == "3")
    // One that takes everything leaves the last few beside it.
    kept.keep("7", for: 7, byteCount: 1000)
    #expect([7, 3, 1, 6].allSatisfy { kept.use($0) != nil })
    #expect(kept.use(4) == nil && kept.use(5) == nil)
    for key in 8...100 { kept.keep("", for: key, byteCount: 0) }
    #expect(kept.use(84) == nil && kept.use(85) != nil)
    kept.removeAll()
    #expect(kept.isEmpty)
  }

  /// Fifty batch sizes, and a prediction at each, take no more than the first sixteen.
  @Test func manyBatchSizes() throws {
    let data = try quadrants(200)
    let trainer = try makeTrainer()
    var most = 0
    for size in 1...50 {
      try trainer.fit(data, batchSize: size, progress: .none)
      _ = try trainer.predict(data.images, batchSize: size)
      if size <= 16 { most = trainer.session.allocatedBytes }
    }
    // What one more sample takes grows the plans that are kept.
    #expect(trainer.session.allocatedBytes <= 4 * most, "\(trainer.session.allocatedBytes) after \(most)")
    // Between others, a batch size is compiled once: its plan is the same afterwards.
    let plans = try (0..<2).map { _ in try trainer.predictionStep(batchSize: 50, dtypes: [.uint8]) }
    #expect(plans[0] === plans[1])
  }
}
