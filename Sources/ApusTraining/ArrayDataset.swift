import ApusCore
import ApusData

/// Inputs and targets, each `[N, ...]`, in the host's memory, checked.
struct ArrayDataset: Dataset {
  let name: String
  let inputArrays: [NDArray]
  let targetArrays: [NDArray]
  let count: Int
  let inputs: [TensorType]
  let targets: [TensorType]

  /// - Throws: `TrainingError` when the arrays cannot be trained on, naming the array and the first bad sample.
  init(inputs: [NDArray], targets: [NDArray], name: String) throws {
    func failure(_ reason: String) -> TrainingError { TrainingError(.badData, at: name, reason) }
    guard let first = inputs.first else { throw failure("there are no inputs; give [N, ...] for each of the model's") }
    guard let count = first.shape.first, count > 0 else {
      throw failure(
        "no samples: \(subject("inputs", 0, of: inputs)) \(first.shape.shapeDescription); they must be [N, ...]")
    }
    for (index, array) in inputs.enumerated() {
      let subject = subject("inputs", index, of: inputs)
      guard array.shape.count > 1, array.count > 0 else {
        throw failure("\(subject) \(array.shape.shapeDescription); they must be [N, ...] without empty axes")
      }
      guard array.shape[0] == count else {
        throw failure(
          "\(subject) \(array.shape.shapeDescription), but inputs[0] has \(count) samples; give one row for each")
      }
      guard array.dtype == .float32 || array.dtype == .uint8 else {
        throw failure("\(subject) \(array.dtype); give float32 or uint8 (converted(to: .float32))")
      }
    }
    for (index, array) in targets.enumerated() {
      guard array.shape.first == count else {
        let which = targets.count > 1 ? "targets[\(index)] is" : "targets"
        throw failure(
          "\(count) inputs, but \(which) \(array.shape.shapeDescription); give one target for each input")
      }
      guard array.dtype != .float64 else {
        throw failure(
          "\(subject("targets", index, of: targets)) float64; give float32 or int32 (converted(to: .float32))")
      }
    }
    guard count <= Int(Int32.max) else { throw failure("\(count) samples; at most \(Int32.max) can be indexed") }
    for (arrays, part) in [(inputs, "input"), (targets, "target")] {
      for (index, array) in arrays.enumerated() where array.dtype == .float32 {
        if let place = array.withElements(as: Float.self, { $0.firstIndex { !$0.isFinite } }) {
          let sample = place / (array.count / count)
          let which = arrays.count > 1 ? "\(part)s[\(index)], sample \(sample)," : "\(part) \(sample)"
          throw failure("\(which) holds \(array.withElements(as: Float.self) { $0[place] }); clean the data")
        }
      }
    }
    self.name = name
    self.count = count
    (inputArrays, targetArrays) = (inputs, targets)
    func sample(_ array: NDArray) -> TensorType {
      TensorType(shape: Array(array.shape.dropFirst()), dtype: array.dtype)
    }
    (self.inputs, self.targets) = (inputs.map(sample), targets.map(sample))
  }

  var samplesWorthATask: Int { samplesOfAMegabyte }

  func read(_ index: Int, into sample: Sample) {
    for (part, array) in inputArrays.enumerated() { array.copyRow(index, to: sample.input(part)) }
    for (part, array) in targetArrays.enumerated() { array.copyRow(index, to: sample.target(part)) }
  }

  /// Whether this holds the very arrays given, not equal copies.
  func holds(_ inputs: [NDArray], _ targets: [NDArray]) -> Bool {
    inputs.count == inputArrays.count && targets.count == targetArrays.count
      && zip(inputArrays + targetArrays, inputs + targets).allSatisfy(Self.sameMemory)
  }

  /// The source keeps its memory alive, so no other array can have the address.
  private static func sameMemory(_ a: NDArray, _ b: NDArray) -> Bool {
    a.shape == b.shape && a.dtype == b.dtype
      && a.bytes.withUnsafeBytes { x in b.bytes.withUnsafeBytes { y in x.baseAddress == y.baseAddress } }
  }

  /// - Throws: `TrainingError` for the first label without a class.
  func require(_ checks: [LabelCheck]) throws(TrainingError) {
    for check in checks where targets[check.target].dtype == .int32 {
      let stray = targetArrays[check.target].bytes.withUnsafeBytes { check.stray(in: $0, of: 0..<count) }
      if let stray { throw check.error(stray, in: name) }
    }
  }
}

/// How a message begins that is about one of `all`: `the inputs are`, or `inputs[1] is` where there are several.
func subject(_ part: String, _ index: Int, of all: [NDArray]) -> String {
  all.count > 1 ? "\(part)[\(index)] is" : "the \(part) are"
}
