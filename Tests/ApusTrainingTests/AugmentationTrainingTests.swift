import ApusCore
import ApusData
import ApusDevices
import ApusNN
import ApusOptimize
import Foundation
import Testing

@testable import ApusTraining

/// Augmentation as a part of training steps.
@Suite struct AugmentationTrainingTests {
  static let all: [any Augmentation] = [
    .flip, .crop(1), .rotate(20), .colorJitter(brightness: 0.2, contrast: 0.3), .cutout(2), .randAugment,
  ]

  private func weights(
    _ device: Device, _ augmentation: [any Augmentation], batchSize: Int = 8, placement: DataPlacement = .automatic,
    seed: UInt64 = 1, epochs: Int = 2
  ) throws -> [NDArray] {
    let model = smallModel()
    let trainer = try Trainer(
      model, optimizer: SGD(learningRate: 0.05), loss: .sparseCategoricalCrossEntropy, device: device, seed: seed)
    trainer.dataPlacement = placement
    try trainer.fit(
      quadrants(30), epochs: epochs, batchSize: batchSize, augmentation: augmentation, progress: .none)
    return try values(of: model)
  }

  @Test(arguments: SeveralOutputsTests.devices)
  func aSeedMakesTheSameBits(_ device: Device) throws {
    let first = try weights(device, Self.all)
    #expect(try weights(device, Self.all) == first)
    #expect(try weights(device, Self.all, placement: .host) == first, "streamed")
    #expect(try weights(device, []) != first)
    #expect(try weights(device, Self.all, seed: 2) != first)
  }

  @Test(arguments: SeveralOutputsTests.devices)
  func mixingMakesTheSameBits(_ device: Device) throws {
    for mix in [MixUp(0.4), CutMix()] as [any Augmentation] {
      let first = try weights(device, [.flip, mix])
      #expect(try weights(device, [.flip, mix], placement: .host) == first)
      #expect(try weights(device, [.flip]) != first)
    }
  }

  @Test func picturesDoNotDependOnTheBatch() throws {
    let data = try quadrants(10)
    let augmenter = try Augmenter(Self.all, device: .cpu)
    let together = try augmenter(data.images, epoch: 3, seed: 4)
    for index in 0..<10 {
      let alone = try augmenter(data.images.rows(index..<(index + 1)), indices: [index], epoch: 3, seed: 4)
      #expect(alone == together.rows(index..<(index + 1)))
    }
    #expect(try augmenter(data.images, epoch: 4, seed: 4) != together)
    #expect(try augmenter(data.images, epoch: 3, seed: 5) != together)
  }

  @Test func aResumedRunGoesOnAsIfItHadNotEnded() throws {
    let folder = try TemporaryFolder()
    let data = try quadrants(30)
    func trainer() throws -> Trainer {
      try Trainer(
        Models.make("lenet5", inputShape: [4, 4, 1], classes: 4), optimizer: SGD(learningRate: 0.05),
        loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: .cpu, seed: 3, modelName: "lenet5")
    }
    let augmentation: [any Augmentation] = [.flip, .crop(1), MixUp(0.4)]
    guard (try? trainer().prepare(inputShapes: [[4, 4, 1]])) != nil else { return }
    let whole = try trainer()
    try whole.fit(data, epochs: 4, batchSize: 8, augmentation: augmentation, progress: .none)
    let first = try trainer()
    try first.fit(data, epochs: 2, batchSize: 8, augmentation: augmentation, progress: .none)
    let configuration = try RunConfiguration(
      model: "lenet5", inputShape: [4, 4, 1], classNames: data.classNames, dataset: "quadrants",
      optimizer: first.optimizer, batchSize: 8, seed: 3, augmentation: augmentation)
    try Run.save(first, configuration, to: folder.path)
    let run = try Run.load(folder.path)
    #expect(try run.configuration.augmentation.map(\.name) == ["flip", "crop", "mixup"])
    #expect((run.configuration.augmentation[2] as? MixUp)?.alpha == 0.4)
    let second = try run.resume(device: .cpu)
    try second.fit(data, epochs: 2, batchSize: 8, augmentation: run.configuration.augmentation, progress: .none)
    #expect(try second.parameters.map { try $0.value() } == whole.parameters.map { try $0.value() })
  }

  /// One step with a learning rate of 1 moves a bias by its gradient: the mean of the losses' own.
  @Test func mixedLossesAreWeightedMeans() throws {
    struct Half: Augmentation {
      var limits: EditLimits { EditLimits(mixes: true) }
      func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {}
      func mix(height: Int, width: Int, random: inout PhiloxGenerator) -> PictureMix? {
        PictureMix(share: 0.25, rows: 0..<1, columns: 0..<2, weight: 0.25)
      }
    }
    let pixels: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
    let pictures = NDArray(pixels, shape: [2, 2, 2, 1])
    let mixed = try Augmenter([Half()], device: .reference)(pictures, epoch: 1)
    #expect(mixed.values(as: Float.self) == [5, 6, 4, 5, 1, 2, 6, 7])

    let model = Sequential {
      Flatten(); Dense(2)
    }
    let trainer = try Trainer(
      model, optimizer: SGD(learningRate: 1), loss: .sparseCategoricalCrossEntropy, device: .reference)
    try trainer.prepare(inputShapes: [[2, 2, 1]])
    for parameter in model.parameters { try parameter.assign(NDArray(zeros: parameter.shape)) }
    let labels = NDArray([0, 1] as [Int32], shape: [2])
    try trainer.fit(
      inputs: pictures, targets: labels, epochs: 1, batchSize: 2, shuffle: false, augmentation: [Half()],
      progress: .none)
    // Both classes have probability 1/2; the targets are (0.75, 0.25) and (0.25, 0.75).
    let x0: [Double] = [5, 6, 4, 5], x1: [Double] = [1, 2, 6, 7]
    let kernel = try model.parameters[0].value().doubles
    for i in 0..<4 {
      let gradient = ((0.5 - 0.75) * x0[i] + (0.5 - 0.25) * x1[i]) / 2
      #expect(abs(kernel[2 * i] + gradient) < 1e-6)
    }
  }

  @Test(arguments: SeveralOutputsTests.devices)
  func viewsAreAveraged(_ device: Device) throws {
    let data = try quadrants(20)
    let trainer = try Trainer(
      smallModel(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy], device: device, seed: 2)
    try trainer.fit(data, epochs: 2, progress: .none)
    let flipped = try Augmenter([RandomFlip(probability: 1)], device: .reference)(data.images, epoch: 1)
    let mirrored = NDArray(flipped.values(as: Float.self).map { UInt8($0) }, shape: data.images.shape)
    let (first, second) = (try trainer.probabilities(data.images), try trainer.probabilities(mirrored))
    let mean = NDArray(zip(first.doubles, second.doubles).map { Float(($0 + $1) / 2) }, shape: first.shape)
    let plain = try trainer.evaluate(data)
    trainer.testTimeAugmentation = .flip
    expectEqual(try trainer.probabilities(data.images), mean)
    let evaluation = try trainer.evaluate(data)
    let losses = data.labels.values(as: Int32.self).enumerated().map { -log(mean.doubles[$0 * 4 + Int($1)]) }
    #expect(abs(evaluation.loss - losses.reduce(0, +) / 20) < 1e-5)
    trainer.testTimeAugmentation = .shift(1)
    #expect(try trainer.evaluate(data).loss != evaluation.loss)
    trainer.testTimeAugmentation = nil
    #expect(try trainer.evaluate(data).loss == plain.loss)
  }

  @Test func mistakesAreNamed() throws {
    let data = try quadrants(8)
    func message(_ augmentation: [any Augmentation], _ data: ImageDataset) -> String {
      do {
        try makeTrainer().fit(data, augmentation: augmentation, progress: .none)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(message([.crop(-1)], data).contains("augmentation 'crop': padding is -1"))
    #expect(message([MixUp(), CutMix()], data).contains("augmentation 'cutmix': pictures are mixed once"))
    struct Liar: Augmentation {
      var limits: EditLimits { EditLimits() }
      func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) { picture.grey() }
    }
    #expect(message([Liar()], data).contains("`limits` must tell of all"))
    do {
      try makeTrainer(Sequential { Dense(4) }).fit(
        inputs: NDArray(zeros: [4, 5]), targets: NDArray([0, 1, 2, 3] as [Int32], shape: [4]), augmentation: [.flip],
        progress: .none)
      Issue.record("no error")
    } catch { #expect("\(error)".contains("augmentation is for pictures")) }
  }
}
