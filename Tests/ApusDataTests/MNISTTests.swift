import ApusCore
import Foundation
import Testing

@testable import ApusData

/// Whether the tests may use the real files; see `APUS_DATA_DIR` in the README.
let realDataFolder = ProcessInfo.processInfo.environment["APUS_DATA_DIR"].flatMap { $0.isEmpty ? nil : $0 }

@Suite struct MNISTTests {
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

  @Test(arguments: [true, false], ["mnist/", "", "MNIST/raw/", "raw/", "FashionMNIST/raw/"])
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
    // A header that claims much is refused by it, before anything is unpacked.
    let large = [UInt8](repeating: 0, count: 1 << 20)
    try check(gzipStored(idx([1_000_000, 28, 28], large)), "too small to hold 784000000 bytes")
    try check(idx([65536, 256, 256], pixels), "its pictures are 256x256")
    try check(gzipBomb(idx([85_598, 28, 28], []), zeros: 80 << 20), "goes on after its contents")
    let compressed = gzipStored(idx([3, 28, 28], pixels))
    try check(Array(compressed.dropLast(20)), "ends too early")
    try check(gzipStored(idx([4, 28, 28], pixels)), "ends after 2352 of 3136 bytes")
    var flipped = compressed
    flipped[1000] ^= 1
    try check(flipped, "compressed data is damaged")
    try check(compressed + [1, 2, 3], "compressed data is damaged")
    let zeros = [UInt8](repeating: 0, count: 100_000)
    try check(compressed + zeros + [1, 2, 3], "compressed data is damaged")
    // Many members, one after another, are one file.
    let content = idx([3, 28, 28], pixels)
    try FileManager.default.removeItem(atPath: folder.path("mnist"))
    try write()
    for padding in [[], zeros] {
      let parts = [content[..<100], content[100...]].flatMap { gzipStored(Array($0)) + padding }
      try folder.write(parts, to: images + ".gz")
      #expect(try MNIST.load(.train, from: locator, downloader: nil).images.bytes == pixels)
    }
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

  /// As programs and sites leave the files: dots for dashes, and each file in a folder of its name.
  @Test(arguments: [
    (".idx", ""), (".idx", ".gz"), ("-idx", "/NAME"), ("-idx", "/DOTTED"), (".idx", "/NAME"), ("-idx", "/NAME.gz"),
  ])
  func filesAreFoundUnderOtherNames(mark: String, suffix: String) throws {
    for (kind, rank, bytes) in [
      ("images", 3, idx([2, 28, 28], [UInt8](repeating: 7, count: 1568))), ("labels", 1, idx([2], [3, 4])),
    ] {
      let (name, dotted) = ("t10k-\(kind)-idx\(rank)-ubyte", "t10k-\(kind).idx\(rank)-ubyte")
      let path =
        "t10k-\(kind)\(mark)\(rank)-ubyte" + suffix.replacing("NAME", with: name).replacing("DOTTED", with: dotted)
      try folder.write(suffix.hasSuffix(".gz") ? gzipStored(bytes) : bytes, to: path)
    }
    let data = try MNIST.load(.test, from: locator, downloader: nil)
    #expect(data.labels == NDArray([3, 4] as [Int32], shape: [2]))
    #expect(data.images.bytes.allSatisfy { $0 == 7 } && data.source == folder.root)
  }

  @Test func withoutFilesTheMessageSaysWhatToGet() {
    let text = failure()
    for piece in [
      "MNIST: not found in \(folder.root)", "train-images-idx3-ubyte.gz  MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873",
      "t10k-labels-idx1-ubyte.gz  MD5 ec29112dd5afa0611ce80d1b7f02629c",
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "--data-dir or APUS_DATA_DIR", "there lies nothing",
    ] { #expect(text.contains(piece), "\(text)") }
  }

  /// No other folder takes the place of one that is named.
  @Test func aNamedFolderIsUsedOrAnError() throws {
    try write(2, in: "cache/apus/mnist/")
    try folder.write([1], to: "named/notes.txt")
    try folder.write([1], to: "named/other/x")
    let environment = ["XDG_CACHE_HOME": folder.path("cache")]
    func load(_ name: String?, _ environment: [String: String]) throws -> ImageDataset {
      let locator = DataLocator(folder: name.map(folder.path), environment: environment)
      return try MNIST.load(.train, from: locator, downloader: Downloader(timeout: 1))
    }
    #expect(try load(nil, environment).source == folder.path("cache/apus/mnist"))

    let lacking = #expect(throws: DataError.self) { try load("named", environment) }
    #expect(lacking?.kind == .notFound)
    for piece in [
      "not found in \(folder.path("named"))", "there lie notes.txt, other/", "looked for train-images-idx3",
    ] {
      #expect(lacking?.description.contains(piece) == true, "\(lacking!)")
    }
    let absent = #expect(throws: DataError.self) { try load("absent", environment) }
    #expect(absent?.kind == .notFound && absent?.description.contains("absent: there is no such folder") == true)
    let file = #expect(throws: DataError.self) { try load("named/notes.txt", environment) }
    #expect(file?.kind == .notFound && file?.description.contains("it is not a folder") == true)

    let both = environment.merging(["APUS_DATA_DIR": folder.path("absent")]) { $1 }
    let variable = #expect(throws: DataError.self) { try load(nil, both) }
    #expect(variable?.description.contains("absent (named by APUS_DATA_DIR): there is no such folder") == true)
    #expect(!FileManager.default.fileExists(atPath: folder.path("absent")))
    // The nearer name wins.
    try write(3, in: "nearer/mnist/")
    #expect(try load("nearer", both).count == 3)
  }

  @Test func oneFolderIsSearched() {
    let all = ["APUS_DATA_DIR": "/b", "XDG_CACHE_HOME": "/c", "HOME": "/home/u"]
    #expect(DataLocator(folder: "/a", environment: all).folder == "/a")
    #expect(DataLocator(environment: all).folder == "/b" && DataLocator(environment: all).isNamed)
    let home = DataLocator(environment: ["HOME": "/home/u", "XDG_CACHE_HOME": "relative", "APUS_DATA_DIR": ""])
    #expect(home.folder == "/home/u/.cache/apus" && !home.isNamed)
    #expect(DataLocator(environment: [:]).folder == nil)
    #expect(throws: DataError.self) { try MNIST.load(.test, from: DataLocator(environment: [:])) }
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
