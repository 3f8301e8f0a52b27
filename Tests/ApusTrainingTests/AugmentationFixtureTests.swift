import ApusCore
import ApusData
import ApusDevices
import Testing

@testable import ApusTraining

/// Changes of pictures against torchvision's, made by `Tests/Fixtures/augmentation.py`.
@Suite struct AugmentationFixtureTests {
  /// One change, as in the fixture's case.
  struct Change: Augmentation {
    var name = ""

    init() {}
    init(_ name: String) { self.name = name }

    var limits: EditLimits {
      EditLimits(moves: .outside(.constant(0)), changes: 1, readsNeighbours: true, needsColours: true)
    }

    func apply(to picture: inout PictureEdit, random: inout PhiloxGenerator) {
      let fixture = AugmentationFixtureTests.cases.first { $0.name == name }!
      func number(_ key: String) -> Double { fixture.number(key)! }
      switch name {
      case "flip": picture.flipHorizontally()
      case "vertical_flip": picture.flipVertically()
      case "rotate", "rotate_back": picture.rotate(number("degrees"))
      case "translate": picture.move(.shift(-number("x"), -number("y")))
      case "zoom", "zoom_out": picture.zoom(number("factor"))
      case "shear": picture.shear(number("x"), number("y"))
      case "perspective":
        let map = Homography(from: fixture.points("end"), to: fixture.points("start"))!
        // torchvision counts from the corner of the first pixel.
        picture.move(.shift(-0.5, -0.5) * map * .shift(0.5, 0.5))
      case "pad_reflect": picture.move(.shift(number("x"), number("y")), border: .reflect)
      case "pad_edge": picture.move(.shift(number("x"), number("y")), border: .edge)
      case "pad_symmetric": picture.move(.shift(number("x"), number("y")), border: .symmetric)
      case "brightness": picture.scale(number("factor"))
      case "contrast", "contrast_grey": picture.contrast(number("factor"))
      case "saturation": picture.saturate(number("factor"))
      case "hue", "hue_back": picture.turnHue(number("share"))
      case "gamma": picture.gamma(number("gamma"), gain: number("gain"))
      case "grey": picture.grey()
      case "invert": picture.solarize(0)
      case "posterize": picture.posterize(bits: Int(number("bits")))
      case "solarize": picture.solarize(number("threshold"))
      case "autocontrast": picture.autocontrast()
      case "equalize": picture.equalize()
      case "sharpness", "smoothness": picture.sharpen(number("factor"))
      case "blur": picture.blur(size: Int(number("size")), deviation: number("deviation"))
      case "erase":
        let box = fixture.integers("box")
        picture.erase(rows: box[0]..<(box[0] + box[2]), columns: box[1]..<(box[1] + box[3]))
      default: Issue.record("no change is named '\(name)'")
      }
    }
  }

  static let cases = Fixture.all(in: "augmentation")

  @Test(arguments: SeveralOutputsTests.devices, cases)
  func changesAreThoseOfTorchvision(_ device: Device, _ fixture: Fixture) throws {
    let x = fixture["x"]
    let isBytes = x.dtype == .int32
    let shape = [1] + x.shape
    let picture = isBytes ? NDArray(x.values(as: Int32.self).map { UInt8($0) }, shape: shape) : x.reshaped(shape)
    let y = try Augmenter([Change(fixture.name)], device: device)(picture, epoch: 1)
    let expected = fixture["y"].converted(to: .float32).reshaped(shape)
    expectEqual(y, expected, tolerance: isBytes ? 0 : 2e-6, fixture.name)
  }
}

extension Fixture {
  /// A list of points.
  fileprivate func points(_ key: String) -> [(x: Double, y: Double)] {
    guard case .array(let points)? = attributes[key] else { return [] }
    return points.compactMap { point in
      guard case .array(let pair) = point, case .number(let x) = pair[0], case .number(let y) = pair[1] else {
        return nil
      }
      return (x, y)
    }
  }
}
