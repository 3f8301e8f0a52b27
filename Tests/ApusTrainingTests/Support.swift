import ApusCPU
import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import ApusTraining
import Foundation

/// Pictures of 4x4 whose class is the quadrant that is bright: learnt in a few steps.
func quadrants(_ count: Int, seed: UInt64 = 1) throws -> ImageDataset {
  var generator = PhiloxGenerator(seed: seed)
  var pixels: [UInt8] = []
  var labels: [Int32] = []
  for _ in 0..<count {
    let label = Int(generator.next() % 4)
    for y in 0..<4 {
      for x in 0..<4 {
        let isBright = (y / 2) * 2 + x / 2 == label
        pixels.append(UInt8(generator.next() % 60) + (isBright ? 180 : 0))
      }
    }
    labels.append(Int32(label))
  }
  return try ImageDataset(
    name: "quadrants", images: NDArray(pixels, shape: [count, 4, 4, 1]), labels: NDArray(labels, shape: [count]),
    classNames: ["a", "b", "c", "d"])
}

func smallModel() -> Sequential {
  Sequential {
    Conv2D(4, kernel: 3, activation: .relu)
    Flatten()
    Dense(4)
  }
}

func makeTrainer(
  _ model: some Model = smallModel(), optimizer: any Optimizer = Adam(learningRate: 0.02),
  loss: any Loss = .sparseCategoricalCrossEntropy, metrics: [any Metric] = [.accuracy], seed: UInt64 = 1,
  options: CompileOptions = CompileOptions()
) throws -> Trainer {
  try Trainer(
    model, optimizer: optimizer, loss: loss, metrics: metrics, device: .reference, seed: seed, options: options)
}

func values(of model: some Model) throws -> [NDArray] { try model.parameters.map { try $0.value() } }

/// A folder that is removed at the end.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }
}

/// The reference backend with little memory for one allocation.
final class SmallBackend: Backend {
  typealias Buffer = CPUBackend.Buffer
  typealias Kernel = CPUBackend.Kernel
  let base = CPUBackend(mode: .reference)
  var limit: Int
  let device: DeviceDescription

  init(limit: Int) {
    self.limit = limit
    device = base.device
  }

  func allocate(_ byteCount: Int) throws(BackendError) -> Buffer {
    guard byteCount <= limit else {
      throw .outOfMemory(requested: byteCount, limit: limit, on: "small", why: "it has")
    }
    return try base.allocate(byteCount)
  }
  func slice(_ buffer: Buffer, _ range: Range<Int>) throws(BackendError) -> Buffer { try base.slice(buffer, range) }
  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) throws(BackendError) {
    try base.copy(bytes, to: buffer)
  }
  func copy(_ buffer: Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try base.copy(buffer, to: bytes)
  }
  func prepare(_ request: KernelRequest) -> Prepared? { base.prepare(request) }
  func kernel(for invocation: Invocation<Buffer>) throws(BackendError) -> Kernel { try base.kernel(for: invocation) }
  func run(_ kernels: [Kernel]) throws(BackendError) { try base.run(kernels) }
  func profile(_ kernels: [Kernel]) throws(BackendError) -> [[RunProfile.Launch]] { try base.profile(kernels) }
}
