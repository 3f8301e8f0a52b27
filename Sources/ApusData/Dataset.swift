public import ApusCore

/// Samples by index: arrays, files that are decoded one by one, whatever can be made when it is asked for.
///
/// A trainer reads the samples of a batch on several threads while the device computes, so data need not fit in memory.
///
/// ```swift
/// struct Squares: Dataset {
///   let name = "squares", count = 1000
///   let inputs = [TensorType(shape: [1])], targets = [TensorType(shape: [1])]
///   func read(_ index: Int, into sample: Sample) {
///     sample.input(0).storeBytes(of: Float(index) / 1000, as: Float.self)
///     sample.target(0).storeBytes(of: Float(index * index) / 1e6, as: Float.self)
///   }
/// }
/// try trainer.fit(Squares(), epochs: 5, validation: .split(0.1))
/// ```
public protocol Dataset: Sendable {
  /// What users call it, in messages.
  var name: String { get }
  /// At most `Int32.max`, and at least 1.
  var count: Int { get }
  /// Shape and type of each of a sample's inputs, without the batch's axis, in the model's order; float32 or uint8.
  var inputs: [TensorType] { get }
  /// Shape and type of each of a sample's targets, without the batch's axis, in the order of the model's outputs; float32
  /// or int32. Labels, int32, must be classes of the model.
  var targets: [TensorType] { get }
  /// How many samples make a task worth giving to another thread: 1, the default, where a sample is decoded.
  var samplesWorthATask: Int { get }

  /// Writes sample `index`, the same at every call. Called by several threads at once.
  ///
  /// An error ends the training and is thrown by `fit`.
  func read(_ index: Int, into sample: Sample) throws
}

extension Dataset {
  public var samplesWorthATask: Int { 1 }

  /// A task's worth of samples that are only copied: copying a megabyte takes far longer than waking a thread.
  package var samplesOfAMegabyte: Int { max(1, (1 << 20) / max(inputs.reduce(0) { $0 + $1.byteCount }, 1)) }
}
