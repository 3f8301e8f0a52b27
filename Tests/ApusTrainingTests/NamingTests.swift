import ApusCPU
import ApusCore
import ApusNN
import Testing

@testable import ApusTraining

/// Names are given once, when a model is built; files have the paths in the model that is saved or loaded.
@Suite struct NamingTests {
  private struct Net: Layer {
    let body: Sequential, head = Dense(4)

    init(
      body: Sequential = Sequential {
        Conv2D(4, kernel: 3, activation: .relu); Flatten()
      }
    ) { self.body = body }
    func forward(_ x: Tensor) -> Tensor { head(body(x)) }
  }

  private let names = ["body.conv2d.kernel", "body.conv2d.bias", "head.kernel", "head.bias"]

  @Test func aLookAtAPartLeavesNamesAndCheckpoints() throws {
    let folder = try TemporaryFolder()
    let net = Net()
    let trainer = try makeTrainer(net)
    // Before the build a look tells the paths in what is looked at.
    #expect(net.body.parameters.map(\.name) == ["conv2d.kernel", "conv2d.bias"])
    try trainer.fit(quadrants(20), progress: .none)
    #expect(net.body.parameters.map(\.name) == Array(names.prefix(2)))
    let table = try net.body.summary(inputShape: [4, 4, 1])
    #expect(table.contains("body.conv2d (Conv2D)") && net.parameters.map(\.name) == names)
    try trainer.saveCheckpoint(to: folder("c.safetensors"))
    let again = try makeTrainer(Net())
    try again.restoreCheckpoint(from: folder("c.safetensors"), inputShape: [4, 4, 1])
    #expect(try values(of: again.model as! Net) == values(of: net))
  }

  @Test func aPartIsSavedUnderItsOwnPaths() throws {
    let folder = try TemporaryFolder()
    let (net, other) = (Net(), Net())
    try net.build(inputShape: [4, 4, 1], seed: 1)
    try other.build(inputShape: [4, 4, 1], seed: 2)
    try net.body.save(to: folder("body.safetensors"))
    let body = Sequential {
      Conv2D(4, kernel: 3); Flatten()
    }
    try body.build(inputShape: [4, 4, 1])
    try body.load(from: folder("body.safetensors"))
    try other.body.load(from: folder("body.safetensors"))
    #expect(try values(of: body) == values(of: net.body) && values(of: other.body) == values(of: net.body))
    #expect(try values(of: other)[2] != values(of: net)[2])
  }

  /// The second model finds names of the first in its boxes, and two of one name; its files are right all the same.
  @Test func aLayerSharedByTwoModels() throws {
    let folder = try TemporaryFolder()
    let shared = Dense(4, useBias: false)
    let first = Sequential {
      Flatten(); shared
    }
    let makeSecond = { (last: Dense) in
      Sequential {
        Flatten(); Dense(16, useBias: false); last
      }
    }
    let second = makeSecond(shared)
    let (a, b) = (try makeTrainer(first), try makeTrainer(second))
    try a.fit(quadrants(20), progress: .none)
    try a.saveCheckpoint(to: folder("a.safetensors"))
    try b.fit(quadrants(20), progress: .none)
    #expect(second.parameters.map(\.name) == ["dense.kernel", "dense.kernel"])
    try b.saveCheckpoint(to: folder("b.safetensors"))
    try second.save(to: folder("second.safetensors"))
    let fresh = makeSecond(Dense(4, useBias: false))
    let c = try makeTrainer(fresh)
    try c.restoreCheckpoint(from: folder("b.safetensors"), inputShape: [4, 4, 1])
    #expect(try values(of: fresh) == values(of: second) && values(of: fresh)[0] != values(of: fresh)[1])
    try fresh.load(from: folder("second.safetensors"))
    #expect(try values(of: fresh) == values(of: second))
  }

  /// Tied weights are one box, saved once under the first path.
  @Test func tiedWeights() throws {
    struct Tied: Layer {
      let first = Dense(4, activation: .tanh), second: Dense
      init() { second = first }
      func forward(_ x: Tensor) -> Tensor { second(first(x)) }
    }
    let folder = try TemporaryFolder()
    let (tied, other) = (Tied(), Tied())
    try tied.build(inputShape: [4], seed: 1)
    try other.build(inputShape: [4], seed: 2)
    #expect(tied.second.parameters.map(\.name) == ["first.kernel", "first.bias"])
    try tied.save(to: folder("tied.safetensors"))
    try other.load(from: folder("tied.safetensors"))
    #expect(try values(of: other) == values(of: tied) && other.parameters.count == 2)
  }
}
