public import ApusCore

/// Samples by index: arrays, files that are decoded one by one, whatever can be made when it is asked for.
///
/// A trainer reads the samples of a batch on several threads while the device computes, so data need not fit in memory.
///
/// ```swift
/// struct Squares: Dataset {
///   let name = "squares", count = 1000
///   let input = TensorType(shape: [1], dtype: .float32), target = TensorType(shape: [1], dtype: .float32)
///   func read(_ index: Int, input: UnsafeMutableRawBufferPointer, target: UnsafeMutableRawBufferPointer) {
///     input.storeBytes(of: Float(index) / 1000, as: Float.self)
///     target.storeBytes(of: Float(index * index) / 1e6, as: Float.self)
///   }
/// }
/// try trainer.fit(Squares(), epochs: 5, validation: .split(0.1))
/// ```
public protocol Dataset: Sendable {
  /// What users call it, in messages.
  var name: String { get }
  /// At most `Int32.max`, and at least 1.
  var count: Int { get }
  /// Shape and type of one input, without the batch's axis; float32 or uint8.
  var input: TensorType { get }
  /// Shape and type of one target, without the batch's axis; labels, int32, must be classes of the model.
  var target: TensorType { get }
  /// How many samples make a task worth giving to another thread: 1, the default, where a sample is decoded.
  var samplesWorthATask: Int { get }

  /// Writes sample `index`, the same at every call, to memory of exactly its size. Called by several threads at once.
  ///
  /// An error ends the training and is thrown by `fit`.
  func read(_ index: Int, input: UnsafeMutableRawBufferPointer, target: UnsafeMutableRawBufferPointer) throws
}

extension Dataset {
  public var samplesWorthATask: Int { 1 }

  /// A task's worth of samples that are only copied: copying a megabyte takes far longer than waking a thread.
  package var samplesOfAMegabyte: Int { max(1, (1 << 20) / max(input.byteCount, 1)) }
}
