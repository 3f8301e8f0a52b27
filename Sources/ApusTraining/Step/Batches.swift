/// A pass over `count` samples in batches of `size`; the last one holds what is left.
struct Batches {
  let count: Int
  /// At most `count`, so that arithmetic with it cannot overflow.
  let size: Int

  init(count: Int, size: Int) {
    self.count = count
    self.size = max(1, min(size, count))
  }

  /// Number of batches.
  var steps: Int { (count + size - 1) / size }

  /// The full size, and that of the last batch if it is smaller: there is a plan for each.
  var sizes: [Int] { count % size == 0 ? [size] : [size, count % size] }

  /// The samples of batch `step`, from 0.
  func range(_ step: Int) -> Range<Int> { (step * size)..<min((step + 1) * size, count) }

  /// The plan of batch `step`, where `plans` are those of `sizes`.
  func pick<Plan>(_ step: Int, from plans: [Plan]) -> Plan { range(step).count == size ? plans[0] : plans[1] }
}
