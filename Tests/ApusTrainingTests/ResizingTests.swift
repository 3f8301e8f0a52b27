import ApusCore
import ApusData
import ApusDevices
import Testing

@testable import ApusTraining

/// Pictures at another size against Pillow's and PyTorch's, made by `Tests/Fixtures/resizing.py`.
@Suite struct ResizingTests {
  static let cases = Fixture.all(in: "resizing")

  @Test(arguments: SeveralOutputsTests.devices, cases.filter { !$0.flag("bytes") })
  func valuesAreThoseOfPillow(_ device: Device, _ fixture: Fixture) throws {
    let (x, expected) = (fixture["x"], fixture["y"])
    let graph = Graph(mode: .inference)
    let y = resize(
      graph.input("x", shape: [1] + x.shape), height: expected.shape[0], width: expected.shape[1],
      interpolation: Interpolation(rawValue: fixture.op)!, antialias: fixture.flag("antialias"))
    let session = try device.openSession()
    let executable = try session.compile(graph, outputs: [y])
    try executable.setInput(0, x.reshaped([1] + x.shape))
    try executable.run()
    try expectEqual(executable.output(0), expected.reshaped([1] + expected.shape), tolerance: 2e-6, fixture.name)
  }

  /// Pillow rounds to bytes between rows and columns.
  @Test(arguments: SeveralOutputsTests.devices, cases.filter { $0.flag("bytes") })
  func setsAreWithinALevelOfPillow(_ device: Device, _ fixture: Fixture) throws {
    let (x, expected) = (fixture["x"], fixture["y"])
    let pictures = x.values(as: Int32.self).map { UInt8($0) }
    let set = try ImageDataset(
      name: "noise", images: NDArray(pictures + pictures, shape: [2] + x.shape),
      labels: NDArray([0, 1] as [Int32], shape: [2]),
      classNames: ["a", "b"])
    let resized = try set.resized(
      height: expected.shape[0], width: expected.shape[1], interpolation: Interpolation(rawValue: fixture.op)!,
      device: device)
    #expect(resized.images.shape == [2] + expected.shape)
    let wanted = expected.values(as: Int32.self)
    let most = zip(resized.images.values(as: UInt8.self), wanted + wanted).map { abs(Int32($0) - $1) }.max()
    #expect(most! <= 1)
  }

  @Test func areasCountPartsOfPixels() throws {
    let set = try ImageDataset(
      name: "line", images: NDArray([0, 90, 240] as [UInt8], shape: [1, 1, 3, 1]),
      labels: NDArray([0] as [Int32], shape: [1]),
      classNames: ["a"])
    let smaller = try set.resized(height: 1, width: 2, interpolation: .area, device: .cpu)
    #expect(smaller.images.values(as: UInt8.self) == [30, 190])
  }

  /// More pictures than a batch holds, the last batch not full.
  @Test func everyPictureOfALargeSetIsInItsPlace() throws {
    let (count, side) = (41, 16)
    let images = NDArray(
      (0..<count).flatMap { [UInt8](repeating: UInt8($0 * 6), count: side * side) },
      shape: [count, side, side, 1])
    let set = try ImageDataset(
      name: "plain", images: images, labels: NDArray((0..<count).map { Int32($0) }, shape: [count]),
      classNames: (0..<count).map { "\($0)" })
    let larger = try set.resized(height: 640, width: 480, channels: 3, device: .cpu)
    #expect(larger.imageShape == [640, 480, 3])
    #expect(larger.labels == set.labels)
    for row in 0..<count {
      #expect(Set(larger.images.rows(row..<(row + 1)).values(as: UInt8.self)) == [UInt8(row * 6)])
    }
  }

  @Test func coloursBecomeGreyAndGreyBecomesColours() throws {
    let set = try ImageDataset(
      name: "red", images: NDArray([250, 0, 0] as [UInt8], shape: [1, 1, 1, 3]),
      labels: NDArray([0] as [Int32], shape: [1]),
      classNames: ["a"])
    let grey = try set.resized(height: 1, width: 1, channels: 1, device: .cpu)
    #expect(grey.images.values(as: UInt8.self) == [75])
    let again = try grey.resized(height: 2, width: 1, channels: 3, device: .cpu)
    #expect(again.images.values(as: UInt8.self) == [75, 75, 75, 75, 75, 75])
  }

  @Test func sizesThatCannotBeAreErrors() throws {
    let set = try Digits.test().prefix(2)
    for (height, width, channels) in [(0, 4, 1), (4, -1, 1), (4, 4, 2), (1 << 32, 1 << 32, 1)] {
      #expect(throws: (any Error).self) {
        _ = try set.resized(height: height, width: width, channels: channels, device: .cpu)
      }
    }
  }
}
