public import ApusCore
import ApusData
public import ApusDevices
import ApusNN
import ApusTraining

/// Steps of training or inference of a network on noise that lies on the device, one by one: what the package in
/// `Benchmarks/` needs beyond the public interface.
public final class ModelSteps: Workload {
  public let device: DeviceDescription
  /// Floating-point operations of a step's convolutions and products, a multiply-add counted as two.
  public let operations: Double
  private let steps: any BenchmarkSteps
  private let trainer: Trainer

  /// Opens the device and compiles the step; trained are the network's usual pictures and classes with Adam.
  ///
  /// - Throws: `UnknownNameError`, `BackendError`.
  public init(model name: String, batchSize: Int, trains: Bool, device: Device) throws {
    let entry = try Models.catalog.part(named: name)
    let network = try Models.make(name, inputShape: entry.inputShape, classes: entry.classes)
    trainer = try Trainer(
      network, loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: device, modelName: name)
    self.device = trainer.device
    steps = try trainer.steps(on: noise(for: entry, count: 4 * batchSize), batchSize: batchSize, trains: trains)

    let graph = Graph(mode: trains ? .training : .inference)
    try graph.trace { graph in
      let logits = network(graph.input("images", shape: [batchSize] + entry.inputShape))
      guard trains else { return }
      let loss = softmaxCrossEntropy(logits, labels: graph.input("labels", shape: [batchSize], dtype: .int32))
      _ = graph.gradients(of: loss, with: network.parameters.map { graph.parameter($0) })
    }
    operations = graph.contractionOperations
  }

  /// Starts one step; may return before it ends.
  public func start() throws { try steps.start() }

  /// Waits for all steps that were started.
  public func wait() throws { try steps.wait() }
}

/// Pictures of noise with labels in all classes, always the same.
private func noise(for entry: Models.Entry, count: Int) throws -> ImageDataset {
  let shape = [count] + entry.inputShape
  var random = PhiloxGenerator(seed: 0)
  let pixels = (0..<shape.reduce(1, *)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  return try ImageDataset(
    name: "noise", images: NDArray(pixels, shape: shape),
    labels: NDArray((0..<count).map { Int32($0 % entry.classes) }, shape: [count]),
    classNames: (0..<entry.classes).map(String.init), source: "drawn by the program", isSynthetic: true)
}
