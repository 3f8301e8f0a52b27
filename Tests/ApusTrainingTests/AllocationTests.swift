import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import CBenchmark
import Testing

@testable import ApusTraining

/// A step that is replayed takes no memory on the host: not for arrays, closures, boxes or strings.
@Suite(.serialized, .enabled(if: apus_counts_allocations())) struct AllocationTests {
  private static let devices = [Device.cpu, .openCL(.best)].filter { (try? $0.openSession()) != nil }

  /// Else the test below would say nothing.
  @Test func allocationsAreCounted() {
    @inline(never) func array(_ count: Int) -> [Int] { [Int](repeating: 1, count: count) }
    let before = apus_thread_allocation_count()
    let sum = array(100).reduce(0, +)
    let after = apus_thread_allocation_count()
    #expect(sum == 100)
    #expect(after > before)
  }

  @Test(arguments: devices, [true, false]) func replayedStepsAllocateNothing(device: Device, trains: Bool) throws {
    let model = Sequential {
      Conv2D(16, kernel: 3, padding: .same, activation: .relu)
      BatchNormalization()
      BasicBlock(16)
      MaxPool2D(2)
      Dropout(0.1)
      Flatten()
      Dense(4)
    }
    let trainer = try Trainer(
      model, optimizer: AdamW(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: device)
    let steps = try trainer.steps(on: quadrants(32), batchSize: 8, trains: trains)
    // More steps than the staging memory of writes has places.
    for _ in 0..<40 { try steps.start() }
    try steps.wait()
    let before = apus_thread_allocation_count()
    for _ in 0..<20 { try steps.start() }
    let after = apus_thread_allocation_count()
    #expect(after == before)
    try steps.wait()
  }

  /// Nor does a sample that is read, whatever it consists of.
  @Test func samplesAllocateNothing() throws {
    let inputs = [NDArray(zeros: [8, 5]), NDArray(zeros: [8, 2, 2], dtype: .uint8)]
    let data = try ArrayDataset(inputs: inputs, targets: [NDArray(zeros: [8, 1])], name: "arrays")
    let memory = [20, 4, 4].map { UnsafeMutableRawBufferPointer.allocate(byteCount: $0, alignment: 4) }
    defer { for part in memory { part.deallocate() } }
    let sample = Sample(inputs: [memory[0], memory[1]], targets: [memory[2]])
    let before = apus_thread_allocation_count()
    for index in 0..<8 { data.read(index, into: sample) }
    let after = apus_thread_allocation_count()
    #expect(after == before)
  }
}
