import ApusCore
import ApusData
import ApusDevices
import ApusNN
import Foundation
import Testing

@testable import ApusTraining

/// What preparing photographs of digits is for: a network that was trained on clean digits reads them.
@Suite struct DigitPhotographTests {
  private func trained(on data: ImageDataset, epochs: Int) throws -> Trainer {
    let model = try Models.make("tutorial-mnist", inputShape: [28, 28, 1], classes: 10, seed: 1)
    let trainer = try Trainer(
      model, optimizer: .adam(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .cpu, seed: 1)
    try trainer.fit(data, epochs: epochs, batchSize: 64, progress: .none)
    return trainer
  }

  private func accuracy(_ trainer: Trainer, _ data: ImageDataset) throws -> Double {
    try #require(try trainer.evaluate(data).accuracy)
  }

  @Test func drawnDigitsAreReadFromPhotographs() throws {
    // Drawn digits lie anywhere in their pictures; these are centred, as those of MNIST are. Some are too faint to be
    // found: they stay black.
    let black = try Image(pixels: NDArray(zeros: [28, 28, 1], dtype: .uint8))
    func centred(_ data: ImageDataset) throws -> ImageDataset {
      let pictures = try (0..<data.count).map { index in
        let picture = try Image(pixels: data.images.rows(index..<(index + 1)).reshaped([28, 28, 1]))
        return (try? picture.digit()) ?? black
      }
      #expect(pictures.count { $0 == black } * 20 < data.count)
      return try ImageDataset(
        name: "centred", images: NDArray(pictures.flatMap(\.pixels.bytes), shape: data.images.shape),
        labels: data.labels, classNames: data.classNames)
    }
    let trainer = try trained(on: try centred(Digits.train(count: 4000, seed: 1)), epochs: 3)
    let test = try Digits.test(count: 200, seed: 1)
    let plain = try accuracy(trainer, centred(test))
    let prepared = try accuracy(trainer, test.photographed(200, seed: 2) { (try? $0.digit()) ?? black })
    let stretched = try accuracy(
      trainer, test.photographed(200, seed: 2) { $0.resized(toWidth: 28, height: 28, channels: 1) })
    print("drawn: \(plain) centred, \(prepared) on photographs, \(stretched) on photographs that are stretched")
    #expect(plain > 0.9 && prepared > plain - 0.05, "\(plain), photographed \(prepared)")
    #expect(stretched < 0.5, "\(stretched)")
  }

  /// The photographs' number can be set with APUS_TEST_PHOTOGRAPHS.
  @Test(
    .enabled("set APUS_DATA_DIR to a folder with the real files") {
      ProcessInfo.processInfo.environment["APUS_DATA_DIR"].map { !$0.isEmpty } ?? false
    })
  func realDigitsAreReadFromPhotographs() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["APUS_TEST_PHOTOGRAPHS"].flatMap(Int.init) ?? 300
    let trainer = try trained(on: MNIST.train(), epochs: 5)
    let test = try MNIST.test()
    let plain = try accuracy(trainer, test)
    let prepared = try accuracy(trainer, test.photographed(count, seed: 5) { try $0.digit() })
    print("MNIST: \(plain) on its test pictures, \(prepared) on \(count) photographs of them")
    #expect(plain > 0.985 && prepared >= 0.97, "\(plain), photographed \(prepared)")
  }
}
