import ApusCore
import Foundation
import Testing

@testable import ApusData

/// Whether the tests may use the real files; see `APUS_DATA_DIR` in the README.
let realDataFolder = ProcessInfo.processInfo.environment["APUS_DATA_DIR"].flatMap { $0.isEmpty ? nil : $0 }

@Suite struct MNISTTests {
  private static let thisFile = #filePath
  let folder = TemporaryFolder()
  private var locator: DataLocator { DataLocator(folder: folder.root, environment: [:]) }

  private func write(_ count: Int = 3, in subfolder: String = "mnist/", compressed: Bool = true, labels: [UInt8]? = nil)
    throws
  {
    let wrap = compressed ? gzipStored : { $0 }
    let suffix = compressed ? ".gz" : ""
    let pixels = (0..<(count * 784)).map { UInt8(truncatingIfNeeded: $0) }
    for name in ["train", "t10k"] {
      try folder.write(wrap(idx([count, 28, 28], pixels)), to: "\(subfolder)\(name)-images-idx3-ubyte\(suffix)")
      let labels = labels ?? (0..<count).map { UInt8($0 % 10) }
      try folder.write(wrap(idx([labels.count], labels)), to: "\(subfolder)\(name)-labels-idx1-ubyte\(suffix)")
    }
  }

  @Test(arguments: [true, false], ["mnist/", ""])
  func filesAreFoundInPlace(compressed: Bool, subfolder: String) throws {
    try write(3, in: subfolder, compressed: compressed)
    let data = try MNIST.load(.train, from: locator, downloader: nil)
    #expect(data.images.shape == [3, 28, 28, 1])
    #expect(data.images.bytes[300] == UInt8(truncatingIfNeeded: 300))
    #expect(data.labels == NDArray([0, 1, 2] as [Int32], shape: [3]))
    #expect(data.note?.contains("not the published MNIST's contents") == true)
    #expect(!data.isSynthetic)
  }

  private func failure(_ part: DatasetPart = .train) -> String {
    do {
      return "loaded: \(try MNIST.load(part, from: locator, downloader: nil))"
    } catch {
      return "\(error)"
    }
  }

  @Test func damagedFilesAreNamed() throws {
    let images = "mnist/train-images-idx3-ubyte"
    func check(_ bytes: [UInt8], _ message: String, line: Int = #line) throws {
      try FileManager.default.removeItem(atPath: folder.path("mnist"))
      try write()
      try FileManager.default.removeItem(atPath: folder.path(images + ".gz"))
      try folder.write(bytes, to: images)
      let text = failure()
      #expect(text.contains(message) && text.contains(folder.root), "line \(line): \(text)")
    }
    try write()
    let pixels = [UInt8](repeating: 1, count: 3 * 784)
    try check([], "too small to hold 16 bytes of its header")
    try check(Array("<!DOCTYPE html><html></html>".utf8), "it is not an IDX file of 3 axes")
    try check(idx([3, 784], pixels), "0 0 8 2 instead of 0 0 8 3")
    try check(idx([4, 28, 28], pixels), "too small to hold 3136 bytes")
    try check(idx([2, 28, 28], pixels), "goes on after")
    try check(idx([0, 28, 28], []), "claims 0x28x28")
    try check(idx([0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], pixels), "claims 4294967295x")
    try check(idx([1_000_000, 28, 28], pixels), "too small to hold 784000000 bytes")
    try check(idx([12, 14, 14], pixels), "its pictures are 14x14")
    let compressed = gzipStored(idx([3, 28, 28], pixels))
    try check(Array(compressed.dropLast(20)), "ends too early")
    try check(gzipStored(idx([4, 28, 28], pixels)), "ends after 2352 of 3136 bytes")
    var flipped = compressed
    flipped[1000] ^= 1
    try check(flipped, "compressed data is damaged")
    try check(compressed + [1, 2, 3], "compressed data is damaged")
    // Many members, one after another, are one file.
    let content = idx([3, 28, 28], pixels)
    try FileManager.default.removeItem(atPath: folder.path("mnist"))
    try write()
    try folder.write(gzipStored(Array(content[..<100])) + gzipStored(Array(content[100...])), to: images + ".gz")
    #expect(try MNIST.load(.train, from: locator, downloader: nil).images.bytes == pixels)
  }

  @Test func countsAndLabelsAreChecked() throws {
    try write(3, labels: [1, 2])
    #expect(failure().contains("holds 3 pictures, train-labels-idx1-ubyte 2 labels"))
    try write(3, labels: [1, 10, 2])
    #expect(failure().contains("label 10 at index 1, but there are 10 classes"))
  }

  @Test func aMissingPartnerIsNamed() throws {
    try write()
    try FileManager.default.removeItem(atPath: folder.path("mnist/train-labels-idx1-ubyte.gz"))
    #expect(failure().contains("train-labels-idx1-ubyte.gz is missing"))
    // The files of the other part are not looked for elsewhere.
    #expect(failure(.test).contains("loaded"))
  }

  @Test func withoutFilesTheMessageSaysWhatToGet() {
    let text = failure()
    for piece in [
      "MNIST: not found in \(folder.root)", "train-images-idx3-ubyte.gz  MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873",
      "t10k-labels-idx1-ubyte.gz  MD5 ec29112dd5afa0611ce80d1b7f02629c",
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "--data-dir or APUS_DATA_DIR",
    ] { #expect(text.contains(piece), "\(text)") }
  }

  @Test func foldersAreSearchedInOrder() {
    let all = ["APUS_DATA_DIR": "/b", "XDG_CACHE_HOME": "/c", "HOME": "/home/u"]
    #expect(DataLocator(folder: "/a", environment: all).folders == ["/a", "/b", "/c/apus"])
    #expect(
      DataLocator(environment: ["HOME": "/home/u", "XDG_CACHE_HOME": "relative"]).folders == ["/home/u/.cache/apus"])
    #expect(DataLocator(environment: ["APUS_DATA_DIR": ""]).folders.isEmpty)
    #expect(DataLocator(environment: [:]).downloadFolder == nil)
    // The first folder that can be made; below a file there is none.
    let impossible = Self.thisFile + "/data"
    #expect(
      DataLocator(folder: impossible, environment: ["HOME": folder.root]).downloadFolder == folder.root + "/.cache/apus"
    )
  }

  @Test(.enabled(if: realDataFolder != nil, "set APUS_DATA_DIR to a folder with the real files"))
  func theRealFiles() throws {
    let locator = DataLocator(folder: realDataFolder, environment: [:])
    let test = try MNIST.load(.test, from: locator, downloader: nil)
    #expect(test.images.shape == [10_000, 28, 28, 1])
    #expect(test.note == nil, "the published contents")
    // The first digits are well known.
    #expect(test.labels.values(as: Int32.self).prefix(10) == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    let train = try MNIST.load(.train, from: locator, downloader: nil)
    #expect(train.images.shape == [60_000, 28, 28, 1])
    #expect(train.note == nil, "the published contents")
    #expect(train.labels.values(as: Int32.self).prefix(5) == [5, 0, 4, 1, 9])
  }
}
