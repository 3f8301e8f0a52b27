import ApusCore
import ApusData

/// Inputs `[N, ...]` and targets `[N, ...]` in the host's memory, checked.
struct ArrayDataset: Dataset {
  let name: String
  let inputs: NDArray
  let targets: NDArray
  let count: Int
  let input: TensorType
  let target: TensorType

  /// - Throws: `TrainingError` when the arrays cannot be trained on, naming the first bad index.
  init(inputs: NDArray, targets: NDArray, name: String) throws {
    func failure(_ reason: String) -> TrainingError { TrainingError(.badData, at: name, reason) }
    guard let count = inputs.shape.first, count > 0 else {
      throw failure("no samples: the inputs are \(inputs.shape.shapeDescription); they must be [N, ...]")
    }
    guard inputs.shape.count > 1, inputs.count > 0 else {
      throw failure("the inputs are \(inputs.shape.shapeDescription); they must be [N, ...] without empty axes")
    }
    guard targets.shape.first == count else {
      throw failure(
        "\(count) inputs, but targets \(targets.shape.shapeDescription); give one target for each input")
    }
    guard inputs.dtype == .float32 || inputs.dtype == .uint8 else {
      throw failure("the inputs are \(inputs.dtype); give float32 or uint8 (converted(to: .float32))")
    }
    guard targets.dtype != .float64 else {
      throw failure("the targets are float64; give float32 or int32 (converted(to: .float32))")
    }
    guard count <= Int(Int32.max) else { throw failure("\(count) samples; at most \(Int32.max) can be indexed") }
    for (array, what) in [(inputs, "input"), (targets, "target")] where array.dtype == .float32 {
      if let index = array.withElements(as: Float.self, { $0.firstIndex { !$0.isFinite } }) {
        let sample = index / (array.count / count)
        throw failure("\(what) \(sample) holds \(array.withElements(as: Float.self) { $0[index] }); clean the data")
      }
    }
    self.name = name
    self.inputs = inputs
    self.targets = targets
    self.count = count
    input = TensorType(shape: Array(inputs.shape.dropFirst()), dtype: inputs.dtype)
    target = TensorType(shape: Array(targets.shape.dropFirst()), dtype: targets.dtype)
  }

  var samplesWorthATask: Int { samplesOfAMegabyte }

  func read(_ index: Int, input: UnsafeMutableRawBufferPointer, target: UnsafeMutableRawBufferPointer) {
    inputs.copyRow(index, to: input)
    targets.copyRow(index, to: target)
  }

  /// Whether this holds the very arrays given, not equal copies.
  func holds(_ inputs: NDArray, _ targets: NDArray) -> Bool {
    Self.sameMemory(self.inputs, inputs) && Self.sameMemory(self.targets, targets)
  }

  /// The source keeps its memory alive, so no other array can have the address.
  private static func sameMemory(_ a: NDArray, _ b: NDArray) -> Bool {
    a.shape == b.shape && a.dtype == b.dtype
      && a.bytes.withUnsafeBytes { x in b.bytes.withUnsafeBytes { y in x.baseAddress == y.baseAddress } }
  }

  /// The first label outside `0..<classes`, if there is one.
  func strayLabel(classes: Int) -> (index: Int, label: Int)? {
    guard targets.dtype == .int32 else { return nil }
    return targets.withElements(as: Int32.self) { values in
      values.firstIndex { !Numerics.isClass($0, of: classes) }.map { ($0, Int(values[$0])) }
    }
  }
}
