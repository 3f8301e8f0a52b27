public import ApusCore
public import ApusData
public import ApusDevices

/// Augmentations without a training: to look at what they make of pictures, or to make more of them.
///
/// ```swift
/// let augmenter = try Augmenter([.flip, .crop(4), .rotate(15)], device: .cpu)
/// let changed = try augmenter(pictures, epoch: 1)   // float32, in the units of `pictures`
/// ```
public final class Augmenter {
  private let augmentations: [any Augmentation]
  private let session: any Session

  /// - Throws: `BackendError` when the device cannot be used.
  public init(_ augmentations: [any Augmentation], device: Device = .automatic) throws {
    self.augmentations = augmentations
    session = try device.openSession()
  }

  /// The pictures as they are in epoch `epoch` of a training with that seed.
  ///
  /// - Parameters:
  ///   - pictures: uint8 or float32 `[N, H, W, C]`.
  ///   - indices: the pictures' numbers in their data set; 0, 1, ... when not given.
  /// - Returns: float32 `[N, H, W, C]`.
  /// - Throws: `DataError` for augmentations that do not go with the pictures; `BackendError` from the device.
  public func callAsFunction(
    _ pictures: NDArray, indices: [Int]? = nil, epoch: Int, seed: UInt64 = 0
  ) throws -> NDArray {
    let type = TensorType(shape: Array(pictures.shape.dropFirst()), dtype: pictures.dtype)
    guard !augmentations.isEmpty, pictures.count > 0 else { return pictures.converted(to: .float32) }
    let plan = try AugmentationPlan(augmentations, picture: type)
    let count = pictures.shape[0]
    let numbers = indices ?? Array(0..<count)
    guard numbers.count == count else {
      throw TrainingError(.invalidArgument, at: "indices", "\(numbers.count) numbers for \(count) pictures")
    }
    let stages: [any StepStage] = [
      InputStage(types: [type], batchSize: count),
      AugmentStage(layout: plan.layout, batchSize: count, pixelScale: 1), InputsStage(),
    ]
    let step = try Step(stages, mode: .inference, seed: seed, session: session, options: CompileOptions())
    let feed = AugmentedFeed(
      OneBatch(pictures), plan, numbers.map(Int32.init(truncatingIfNeeded:)), Batches(count: count, size: count),
      epoch: epoch, seed: seed)
    try step.setBatch(feed)
    try step.run()
    return try step.executable.output(0)
  }
}

/// The changed pictures, to be read.
private struct InputsStage: StepStage {
  func append(to step: inout StepTrace) { step.outputs = step.inputs }
}

/// Pictures that are at hand.
private final class OneBatch: BatchFeed {
  let waitedSeconds = 0.0
  private let pictures: NDArray

  init(_ pictures: NDArray) { self.pictures = pictures }

  func setNext(_ indices: [Int], of executable: any Executable) throws {
    try executable.setInput(indices[0], pictures)
  }

  func restart() {}
}
