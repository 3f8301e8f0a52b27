/// Where a `Dataset` writes a sample: memory for each of its inputs and targets, of exactly their size.
///
/// The memory is only there while `read` runs.
///
/// ```swift
/// sample.input(0).copyBytes(from: pixels)
/// sample.target(0).storeBytes(of: label, as: Int32.self)
/// ```
public struct Sample {
  /// The inputs' memory, then the targets', of the first sample of a batch; those of the others follow each.
  private let first: [UnsafeMutableRawBufferPointer]
  private let inputCount: Int
  /// The sample's place in its batch.
  package var index = 0

  /// A sample in memory of one's own, to read a data set by hand.
  ///
  /// - Parameters:
  ///   - inputs: for each input memory of its size.
  ///   - targets: for each target memory of its size.
  public init(inputs: [UnsafeMutableRawBufferPointer], targets: [UnsafeMutableRawBufferPointer]) {
    first = inputs + targets
    inputCount = inputs.count
  }

  /// The memory of input `number`, from 0.
  public func input(_ number: Int) -> UnsafeMutableRawBufferPointer {
    precondition(number < inputCount, "Sample: input \(number) of \(inputCount)")
    return memory(number)
  }

  /// The memory of target `number`, from 0.
  public func target(_ number: Int) -> UnsafeMutableRawBufferPointer { memory(inputCount + number) }

  private func memory(_ part: Int) -> UnsafeMutableRawBufferPointer {
    let memory = first[part]
    return UnsafeMutableRawBufferPointer(
      start: memory.baseAddress.map { $0 + index * memory.count }, count: memory.count)
  }
}
