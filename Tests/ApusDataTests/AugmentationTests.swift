import ApusCore
import Testing

@testable import ApusData

/// What is drawn, and how it is spelled.
@Suite struct AugmentationTests {
  private func edits(_ change: (inout PictureEdit) -> Void) -> [[Double]] {
    var picture = PictureEdit(height: 8, width: 6, channels: 3, white: 255)
    change(&picture)
    return picture.finished()
  }

  @Test func movesAreOne() {
    let same = [[1.0, 0, 0, 1, 0, 1, 0]]
    #expect(edits { _ in } == same)
    #expect(edits { $0.flipHorizontally() } == [[1, 0, 0, -1, 5, 1, 0]])
    #expect(
      edits {
        $0.flipHorizontally()
        $0.flipHorizontally()
      } == same)
    // Flipped, then cut two pixels further right: column x of the result is column 5 - (x + 2) of the picture.
    #expect(
      edits {
        $0.flipHorizontally()
        $0.move(.shift(2, -1), border: .reflect)
      } == [[1, 2, 0, -1, 3, 1, -1]])
    let turned = edits {
      $0.move(.shift(1, 0))
      $0.rotate(30)
      $0.zoom(1.2)
    }
    #expect(turned.count == 1 && turned[0][0] == 2)
    // What is outside differs.
    #expect(
      edits {
        $0.move(.shift(1, 0), border: .edge)
        $0.move(.shift(1, 0), border: .reflect)
      }.count == 2)
    #expect(
      edits {
        $0.grey()
        $0.flipVertically()
      }.map { $0[0] } == [1, 9, 1])
  }

  @Test func movesThatEndNowhereShowWhatIsOutside() {
    #expect(edits { $0.move(Homography([0, 0, 1, 0, 0, 1, 0, 0, 0])) }[0] == [1, 0, 0, 1, 1e6, 1, 1e6])
    #expect(Homography(from: [(0, 0), (0, 0), (1, 1), (0, 1)], to: [(0, 0), (1, 0), (1, 1), (0, 1)]) == nil)
  }

  @Test func everyAugmentationDrawsWithinItsLimits() throws {
    for name in Augmentations.catalog.names {
      let augmentation = try Augmentations.catalog.part(named: name).init()
      #expect(augmentation.problem == nil, "\(name)")
      for shape in [[1, 1, 1], [1, 5, 3], [28, 28, 1], [32, 40, 3]] {
        let plan = try AugmentationPlan(
          [augmentation], picture: TensorType(shape: shape, dtype: .uint8))
        var edits = [Float](repeating: .nan, count: plan.layout.editCount)
        var mix = [Float](repeating: .nan, count: plan.layout.mixes ? AugmentationPlan.Layout.mixCount : 0)
        for index in 0..<200 {
          try edits.withUnsafeMutableBufferPointer { edits in
            try mix.withUnsafeMutableBufferPointer { try plan.draw(index, epoch: 1, seed: 1, into: edits, $0) }
          }
          #expect(edits.allSatisfy(\.isFinite) && mix.allSatisfy(\.isFinite), "\(name)")
        }
      }
    }
  }

  @Test func drawsHaveTheirMeans() throws {
    var random = PhiloxGenerator(seed: 3, stream: 4)
    let betas = (0..<20_000).map { _ in random.beta(0.2) }
    let mean = betas.reduce(0, +) / 20_000
    #expect(abs(mean - 0.5) < 0.01)
    // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
    var variance = 0.0
    for beta in betas { variance += (beta - mean) * (beta - mean) / 20_000 }
    #expect(abs(variance - 1 / 5.6) < 0.005)
    var counts = [Int](repeating: 0, count: 9)
    for _ in 0..<9000 { counts[random.whole(-4..<5) + 4] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) })
  }

  @Test func linesAreParsed() throws {
    let parsed = try Augmentations.parse("flip,crop:4:border=reflect,rotate:15,color-jitter:hue=0.1,resized-crop:0.5")
    #expect(parsed.map(\.name) == ["flip", "crop", "rotate", "color-jitter", "resized-crop"])
    let crop = try #require(parsed[1] as? RandomCrop)
    #expect(crop.padding == 4 && crop.border == .reflect)
    #expect((parsed[2] as? RandomRotation)?.degrees == 15)
    #expect((parsed[3] as? ColorJitter)?.hue == 0.1)
    #expect((parsed[4] as? RandomResizedCrop)?.leastArea == 0.5)
    // What is printed is read again.
    for name in Augmentations.catalog.names {
      let usual = try Augmentations.usual(name)
      #expect(try Augmentations.parse(usual).map(\.name) == [name], "\(usual)")
    }
  }

  @Test(arguments: [
    ("flop", "there is no augmentation 'flop'; choose one of flip"),
    ("", "there is no augmentation ''"),
    ("flip,", "there is no augmentation ''"),
    ("crop:x", "crop:x: the values do not fit; the usual ones are crop:border=0:padding=4"),
    ("crop:2.5", "the values do not fit"),
    ("crop:border=up", "the values do not fit"),
    ("crop:size=3", "'crop' has no 'size'; it has border, padding"),
    ("crop:3:4", "'4' says no property; write one of border, padding and ="),
    ("trivial-augment:3", "'3' says no property; there is none"),
    ("flip:1.5", "flip:1.5: a probability of 1.5; it must be in 0...1"),
    ("flip:nan", "the values do not fit"),
    ("rotate:-3", "an angle is -3.0; it must be at least 0"),
    ("hue:0.7", "an amount is 0.7; it must be at least 0 and at most 0.5"),
    ("resized-crop:0", "an area of 0.0 to 1.0"),
    ("blur:4", "a size of 4; it must be odd"),
    ("posterize:9", "9 bits; there are 1 to 8"),
  ])
  func mistakesAreNamed(_ text: String, _ message: String) {
    do {
      _ = try Augmentations.parse(text)
      Issue.record("\(text) was taken")
    } catch { #expect("\(error)".contains(message), "\(error)") }
  }

  @Test func slotsAreCounted() throws {
    func layout(_ augmentations: any Augmentation...) throws -> AugmentationPlan.Layout {
      try AugmentationPlan(augmentations, picture: TensorType(shape: [8, 8, 3], dtype: .uint8)).layout
    }
    #expect(try layout(.flip, .crop(4)).slots == 1)
    #expect(try layout(.crop(4), .flip, .rotate(3)).slots == 1)
    #expect(try layout(.crop(4, border: .reflect), .rotate(3)).slots == 2)
    #expect(try layout(.flip, .brightness(0.1), .rotate(3)) == .init(slots: 3, readsNeighbours: true, mixes: false))
    #expect(try layout(ColorJitter(), .mixUp) == .init(slots: 5, readsNeighbours: false, mixes: true))
    #expect(throws: DataError.self) {
      try AugmentationPlan([.hue(0.1)], picture: TensorType(shape: [8, 8, 2], dtype: .uint8))
    }
  }
}
