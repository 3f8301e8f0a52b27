import ApusCore
import Foundation
import Testing

@testable import ApusData

/// The sets of MNIST's kind, as they lie about.
@Suite struct LayoutTests {
  let folder = TemporaryFolder()
  private var locator: DataLocator { DataLocator(folder: folder.root, environment: [:]) }
  /// Four pictures, each of its own, and labels.
  private let pixels = (0..<(4 * 784)).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 5) }
  private let labels: [UInt8] = [3, 1, 2, 9]

  private func load(_ name: String, _ part: DatasetPart = .test) throws -> ImageDataset {
    try PublishedDatasets.catalog.part(named: name).load(part, locator, nil)
  }

  private func failure(_ name: String, _ part: DatasetPart = .test) -> String {
    do { return "loaded: \(try load(name, part))" } catch { return "\(error)" }
  }

  private func writeIDX(_ prefix: String, test: String = "t10k", compressed: Bool = false) throws {
    for (kind, rank, bytes) in [("images", 3, idx([4, 28, 28], pixels)), ("labels", 1, idx([4], labels))] {
      let name = "\(prefix)\(test)-\(kind)-idx\(rank)-ubyte"
      try folder.write(compressed ? gzipStored(bytes) : bytes, to: compressed ? name + ".gz" : name)
    }
  }

  private func expectData(_ data: ImageDataset, _ source: String, line: Int = #line) {
    #expect(data.images.bytes == pixels && data.images.shape == [4, 28, 28, 1], "line \(line)")
    #expect(data.labels.values(as: Int32.self) == labels.map(Int32.init), "line \(line)")
    #expect(data.source == (source.isEmpty ? folder.root : folder.path(source)), "line \(line)")
  }

  @Test(arguments: [
    ("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw"), ("fashion-mnist", "fashion-mnist"),
    ("kmnist", "KMNIST/raw"), ("kmnist", "raw"),
  ])
  func torchvisionsFolders(name: String, place: String) throws {
    try writeIDX(place + "/")
    expectData(try load(name), place)
  }

  /// Each takes its own where several lie in one root.
  @Test func setsAreToldApartByTheirFolders() throws {
    try writeIDX("FashionMNIST/raw/")
    try folder.write(idx([1, 28, 28], Array(pixels[..<784])), to: "KMNIST/raw/t10k-images-idx3-ubyte")
    try folder.write(idx([1], [5]), to: "KMNIST/raw/t10k-labels-idx1-ubyte")
    #expect(try load("fashion-mnist").count == 4 && load("kmnist").count == 1)
    let data = try load("kmnist")
    #expect(data.classNames[5] == "ha" && data.name == "KMNIST")
    #expect(data.note?.contains("holds 1 pictures of KMNIST's 10000") == true)
  }

  // MARK: EMNIST

  /// Column by column, as EMNIST's files are.
  private var turned: [UInt8] {
    (0..<pixels.count).map { index in
      let (picture, pixel) = index.quotientAndRemainder(dividingBy: 784)
      return pixels[picture * 784 + pixel % 28 * 28 + pixel / 28]
    }
  }

  private func emnist(_ division: String, labels: [UInt8]) -> [(name: String, bytes: [UInt8])] {
    [
      ("emnist-\(division)-test-images-idx3-ubyte", idx([4, 28, 28], turned)),
      ("emnist-\(division)-test-labels-idx1-ubyte", idx([4], labels)),
    ]
  }

  @Test(arguments: ["EMNIST/raw/", "emnist/", "", "gzip/", "emnist_source_files/"])
  func emnistIsUpright(place: String) throws {
    for (name, bytes) in emnist("digits", labels: labels) { try folder.write(bytes, to: place + name) }
    expectData(try load("emnist-digits"), String(place.dropLast()))
  }

  @Test func emnistsArchiveIsReadAsItIs() throws {
    let members = emnist("digits", labels: labels).map { ZipMember("gzip/\($0.name).gz", gzipStored($0.bytes)) }
    try folder.write(zipArchive([ZipMember("gzip/other.gz", [1])] + members), to: "emnist/gzip.zip")
    expectData(try load("emnist-digits"), "emnist/gzip.zip")
    #expect(failure("emnist-letters").contains("does not hold gzip/emnist-letters-test-images-idx3-ubyte.gz"))
    // What was unpacked comes first.
    try writeIDX("emnist/emnist-digits-", test: "test")
    #expect(try load("emnist-digits").source == folder.path("emnist"))
  }

  @Test func emnistsLabelsHaveTheirClasses() throws {
    for division in ["letters", "balanced", "byclass", "bymerge", "mnist"] {
      for (name, bytes) in emnist(division, labels: [1, 2, 3, 9]) { try folder.write(bytes, to: name) }
    }
    func names(_ name: String) throws -> [String] {
      let data = try load(name)
      return data.labels.values(as: Int32.self).map { data.classNames[Int($0)] }
    }
    #expect(try names("emnist-letters") == ["A", "B", "C", "I"])
    #expect(try names("emnist-mnist") == ["1", "2", "3", "9"])
    #expect(try load("emnist-letters").classCount == 26 && load("emnist-balanced").classCount == 47)
    #expect(try load("emnist-bymerge").classNames[46] == "t" && load("emnist-byclass").classNames[61] == "z")
    #expect(try load("emnist-byclass").classNames[36] == "a" && load("emnist-balanced").classNames[36] == "a")
    for (name, bytes) in emnist("letters", labels: [1, 0, 3, 9]) { try folder.write(bytes, to: name) }
    #expect(failure("emnist-letters").contains("label 0 at index 1; those of EMNIST letters run from 1 to 26"))
  }

  // MARK: numpy

  @Test(arguments: [false, true], ["", "mnist/"])
  func kerassArchive(isDeflated: Bool, place: String) throws {
    let members = [
      ZipMember("x_test.npy", npy("|u1", [4, 28, 28], pixels), isDeflated: isDeflated),
      ZipMember("x_train.npy", npy("|u1", [1, 28, 28], Array(pixels[..<784])), isDeflated: isDeflated),
      ZipMember("y_train.npy", npy("|u1", [1], [8]), isDeflated: isDeflated),
      ZipMember("y_test.npy", npy("<i8", [4], labels.flatMap { littleEndian(Int($0), 8) }), isDeflated: isDeflated),
    ]
    try folder.write(zipArchive(members), to: place + "mnist.npz")
    expectData(try load("mnist"), place + "mnist.npz")
    #expect(try load("mnist", .train).labels.values(as: Int32.self) == [8])
  }

  @Test func damagedArraysAreNamed() throws {
    func check(_ images: [UInt8], _ labels: [UInt8], _ message: String, line: Int = #line) throws {
      try folder.write(
        zipArchive([ZipMember("x_test.npy", images), ZipMember("y_test.npy", labels)]), to: "mnist.npz")
      let text = failure("mnist")
      #expect(text.contains(message) && text.contains(folder.path("mnist.npz")), "line \(line): \(text)")
    }
    let (images, labels) = (npy("|u1", [4, 28, 28], pixels), npy("|u1", [4], labels))
    try check(images, npy("|u1", [3], [1, 2, 3]), "x_test holds 4 pictures, y_test 3 labels")
    try check(npy("|u1", [4, 784], pixels), labels, "its pictures are 784, MNIST's are 28x28x1")
    try check(npy("|O", [1], [1]), labels, "no whole numbers")
    try check(images, npy("|u1", [4, 10], [UInt8](repeating: 0, count: 40)), "its labels are 4x10")
    try check(images, npy("|u1", [4], [1, 2, 3, 10]), "label 10 at index 3")
    #expect(failure("mnist", .train).contains("does not hold x_train.npy"))
    try folder.write(Array("<html>".utf8), to: "mnist.npz")
    #expect(failure("mnist").contains("not a zip archive"))
  }

  @Test func kmnistsArrays() throws {
    try folder.write(zipArchive([ZipMember("arr_0.npy", npy("|u1", [4, 28, 28], pixels))]), to: "kmnist-test-imgs.npz")
    #expect(failure("kmnist").contains("kmnist-test-labels.npz is missing"))
    try folder.write(zipArchive([ZipMember("arr_0.npy", npy("|u1", [4], labels))]), to: "kmnist-test-labels.npz")
    expectData(try load("kmnist"), "kmnist-test-imgs.npz")
  }

  // MARK: Tables

  private func table(_ rows: Range<Int>, header: Bool = true, labelled: Bool = true, end: String = "\n") -> String {
    let names = (labelled ? ["label"] : []) + (0..<784).map { "pixel\($0)" }
    return (header ? names.joined(separator: ",") + end : "")
      + rows.map { row in
        let values = (labelled ? [labels[row]] : []) + pixels[(row * 784)..<((row + 1) * 784)]
        return values.map(String.init).joined(separator: ",") + end
      }.joined()
  }

  @Test(arguments: [("mnist", "mnist_test.csv"), ("fashion-mnist", "fashion-mnist_test.csv")], [true, false])
  func kagglesTables(names: (set: String, file: String), header: Bool) throws {
    try folder.write(Array(table(0..<4, header: header, end: header ? "\r\n" : "\n").utf8), to: names.file)
    expectData(try load(names.set), names.file)
    #expect(failure(names.set, .train).contains("_train.csv is missing"))
    try folder.write(gzipStored(Array(table(0..<4, header: header).utf8)), to: names.file)
    expectData(try load(names.set), names.file)
  }

  /// Of the competition only `train.csv` has labels.
  @Test func theCompetitionsTableIsCut() throws {
    try folder.write(Array(table(0..<4).utf8), to: "train.csv")
    try folder.write(Array(table(0..<2, labelled: false).utf8), to: "test.csv")
    let (train, test) = (try load("mnist", .train), try load("mnist", .test))
    #expect(train.labels.values(as: Int32.self) == [3, 1, 2] && test.labels.values(as: Int32.self) == [9])
    #expect(test.images.bytes == Array(pixels[(3 * 784)...]))
    #expect(test.note?.contains("its last 1 of 4 pictures are for testing") == true)
    // A test file with labels is used.
    try folder.write(Array(table(1..<3).utf8), to: "test.csv")
    #expect(try load("mnist", .test).labels.values(as: Int32.self) == [1, 2])
    #expect(try load("mnist", .train).count == 4)
  }

  @Test func damagedTablesAreNamedByTheirLines() throws {
    func check(_ text: String, _ message: String, line: Int = #line) throws {
      try folder.write(Array(text.utf8), to: "mnist_test.csv")
      let failure = failure("mnist")
      #expect(failure.contains(message), "line \(line): \(failure)")
    }
    let good = table(0..<2)
    try check("", "it holds no pictures")
    try check("label,pixel0\n", "it holds no pictures")
    try check(good + "1,2,3\n", "line 4: it has 3 columns")
    try check(good + "1," + String(repeating: "0,", count: 783) + "256\n", "line 4: 256 in column 785 is no pixel")
    try check(good + "1," + String(repeating: "0,", count: 783) + "-1\n", "line 4: it is not a row of whole numbers")
    try check(good + "1," + String(repeating: "0,", count: 783) + "\n", "line 4: it is not a row")
    try check(good + "0x1\n", "line 4: it is not a row")
    try check(good + String(repeating: "1", count: 1 << 17), "line 4 is too long")
    try check(String(good.dropLast(20)), "line 3: it ")
  }

  // MARK: Which files are these

  @Test func anotherSetsContentsAreNoted() throws {
    try writeIDX("")
    #expect(try load("mnist").note?.contains("not the published MNIST's contents") == true)
    #expect(try load("fashion-mnist").note?.contains("holds 4 pictures of Fashion-MNIST's 10000") == true)
  }

  @Test(.enabled(if: realDataFolder != nil, "set APUS_DATA_DIR to a folder with the real files"))
  func realMNISTIsKnownAgain() throws {
    let real = try MNIST.load(.test, from: DataLocator(folder: realDataFolder, environment: [:]), downloader: nil)
    for (kind, bytes) in [
      ("images-idx3", idx([10_000, 28, 28], real.images.bytes)),
      ("labels-idx1", idx([10_000], real.labels.values(as: Int32.self).map(UInt8.init))),
    ] { try folder.write(bytes, to: "t10k-\(kind)-ubyte") }
    #expect(try load("mnist").note == nil)
    #expect(try load("fashion-mnist").note?.contains("are MNIST's, not Fashion-MNIST's: `mnist` names them") == true)
  }

  /// Every set can be had and can be named.
  @Test func theCatalogueIsWhole() throws {
    #expect(
      PublishedDatasets.catalog.names == [
        "mnist", "fashion-mnist", "kmnist", "emnist-byclass", "emnist-bymerge", "emnist-balanced", "emnist-letters",
        "emnist-digits", "emnist-mnist", "cifar10", "cifar100", "cifar100-coarse", "digits",
      ])
    for set in PublishedDatasets.publications {
      #expect(!set.remotes.isEmpty && set.remotes.allSatisfy { $0.md5.count == 32 && !$0.mirrors.isEmpty })
      #expect(Set(set.classNames).count == set.classNames.count && set.counts.count == 2)
      let text = failure(set.name)
      #expect(text.contains("\(set.title): not found in") && text.contains(set.remotes[0].md5), "\(text)")
    }
  }
}
