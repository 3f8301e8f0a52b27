import ApusCore
import Foundation
import Testing

@testable import ApusData

@Suite struct CIFAR10Tests {
  let folder = TemporaryFolder()
  private var locator: DataLocator { DataLocator(folder: folder.root, environment: [:]) }

  /// One record: a label, and planes that count up from `first`.
  private func record(_ label: UInt8, first: Int) -> [UInt8] {
    [label] + (0..<3072).map { UInt8(truncatingIfNeeded: $0 / 1024 * 100 + $0 + first) }
  }

  private var batches: [(String, [UInt8])] {
    (1...5).map { ("data_batch_\($0).bin", record(UInt8($0), first: $0)) } + [
      ("test_batch.bin", record(9, first: 9) + record(0, first: 0))
    ]
  }

  private func failure(_ part: DatasetPart = .train) -> String {
    do {
      return "loaded: \(try CIFAR10.load(part, from: locator, downloader: nil))"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: ["cifar-10-batches-bin/", "", "cifar10/", "cifar10/cifar-10-batches-bin/"])
  func planesAreInterleaved(subfolder: String) throws {
    for (name, bytes) in batches { try folder.write(bytes, to: subfolder + name) }
    let train = try CIFAR10.load(.train, from: locator, downloader: nil)
    #expect(train.images.shape == [5, 32, 32, 3])
    #expect(train.labels == NDArray([1, 2, 3, 4, 5] as [Int32], shape: [5]))
    // Picture 1 (batch 2), row 3, column 7: position 103 in each plane.
    let start = 3072 + 103 * 3
    #expect(Array(train.images.bytes[start..<(start + 3)]) == [105, 205, 49])
    #expect(train.note?.contains("5 pictures of CIFAR-10's 50000") == true)
    let test = try CIFAR10.load(.test, from: locator, downloader: nil)
    #expect(test.labels == NDArray([9, 0] as [Int32], shape: [2]))
    #expect(test.classNames[9] == "truck")
  }

  @Test func theArchiveIsReadAsItIs() throws {
    for (name, bytes) in batches { try folder.write(bytes, to: "plain/\(name)") }
    // In another order, with a folder and files that are of no interest.
    var tar =
      tarMember("cifar-10-batches-bin/", [], type: "5") + tarMember("cifar-10-batches-bin/readme.html", [1, 2, 3])
    for (name, bytes) in batches.reversed() { tar += tarMember("./cifar-10-batches-bin/\(name)", bytes) }
    tar += [UInt8](repeating: 0, count: 1024)
    try folder.write(gzipStored(tar), to: "cifar-10-binary.tar.gz")
    for part in DatasetPart.allCases {
      let plain = try CIFAR10.load(
        part, from: DataLocator(folder: folder.path("plain"), environment: [:]), downloader: nil)
      let archived = try CIFAR10.load(part, from: locator, downloader: nil)
      #expect(plain.images == archived.images && plain.labels == archived.labels)
    }
    #expect(
      Set(try FileManager.default.contentsOfDirectory(atPath: folder.root)) == ["plain", "cifar-10-binary.tar.gz"])
  }

  /// The pictures of a record as Python's version holds them.
  private func pickled(_ records: [UInt8], key: String = "labels") -> [UInt8] {
    let starts = stride(from: 0, to: records.count, by: 3073)
    return cifarPickle(
      [(key, starts.map { Int(records[$0]) })], data: starts.flatMap { records[($0 + 1)..<($0 + 3073)] })
  }

  @Test(arguments: ["cifar-10-batches-py/", "", "cifar10/", "cifar10/cifar-10-batches-py/"])
  func pythonsVersionIsTheSame(subfolder: String) throws {
    for (name, bytes) in batches {
      try folder.write(bytes, to: "plain/\(name)")
      try folder.write(pickled(bytes), to: subfolder + name.replacing(".bin", with: ""))
    }
    for part in DatasetPart.allCases {
      let plain = try CIFAR10.load(
        part, from: DataLocator(folder: folder.path("plain"), environment: [:]), downloader: nil)
      let data = try CIFAR10.load(part, from: locator, downloader: nil)
      #expect(plain.images == data.images && plain.labels == data.labels)
    }
  }

  @Test func pythonsArchiveIsReadAsItIs() throws {
    let members = batches.map {
      tarMember("cifar-10-batches-py/\($0.0.replacing(".bin", with: ""))", pickled($0.1))
    }
    let tar = members.flatMap { $0 } + [UInt8](repeating: 0, count: 1024)
    try folder.write(gzipStored(tar), to: "cifar-10-python.tar.gz")
    #expect(try CIFAR10.load(.test, from: locator, downloader: nil).labels == NDArray([9, 0] as [Int32], shape: [2]))
    #expect(
      try CIFAR10.load(.train, from: locator, downloader: nil).source == folder.path("cifar-10-python.tar.gz"))
  }

  @Test func damagedPicklesAreNamed() throws {
    func check(_ bytes: [UInt8], _ message: String, line: Int = #line) throws {
      try folder.write(bytes, to: "test_batch")
      let text = failure(.test)
      #expect(text.contains(message) && text.contains(folder.root), "line \(line): \(text)")
    }
    let planes = [UInt8](repeating: 1, count: 2 * 3072)
    try check(cifarPickle([("labels", [1])], data: planes), "its pictures are 2x3072, not 1x3072")
    try check(cifarPickle([("labels", [1, 2])], data: planes, columns: 1536), "its pictures are 4x1536")
    try check(cifarPickle([("fine_labels", [1, 2])], data: planes), "it has no entry 'labels'")
    try check(cifarPickle([("labels", [1, 10])], data: planes), "label 10 at index 1")
    try check(Array(cifarPickle([("labels", [1, 2])], data: planes).dropLast(9)), "the pickle ends too early")
    try check(Array("cos\nsystem\n(U\u{2}lstR.".utf8), "asks for os.system")
    try check([], "its size is not that of at most 10000 pictures")
  }

  @Test(arguments: [true, false])
  func hundredClassesAndTheirSuperclasses(isPickled: Bool) throws {
    let planes = Array(record(0, first: 3).dropFirst())
    for (name, labels) in [("train", [(4, 30)]), ("test", [(0, 99), (19, 0)])] {
      let pictures = labels.flatMap { _ in planes }
      let bytes =
        isPickled
        ? cifarPickle([("coarse_labels", labels.map(\.0)), ("fine_labels", labels.map(\.1))], data: pictures)
        : labels.flatMap { [UInt8($0.0), UInt8($0.1)] + planes }
      try folder.write(bytes, to: isPickled ? "cifar-100-python/\(name)" : "cifar100/cifar-100-binary/\(name).bin")
    }
    let test = try CIFAR100.load(.test, from: locator, downloader: nil)
    #expect(test.labels == NDArray([99, 0] as [Int32], shape: [2]) && test.classNames[99] == "worm")
    #expect(test.classNames[0] == "apple" && test.classCount == 100 && test.name == "CIFAR-100")
    let start = 103 * 3
    #expect(Array(test.images.bytes[start..<(start + 3)]) == [106, 206, 50])
    let coarse = try CIFAR100.coarse.load(.test, locator, nil)
    #expect(coarse.labels == NDArray([0, 19] as [Int32], shape: [2]) && coarse.images == test.images)
    #expect(coarse.classNames[19] == "vehicles_2" && coarse.classCount == 20)
    #expect(try CIFAR100.load(.train, from: locator, downloader: nil).classNames[30] == "dolphin")
  }

  @Test func hostileArchivesAreRefused() throws {
    let good = batches.map { tarMember("cifar-10-batches-bin/\($0.0)", $0.1) }
    func check(_ members: [[UInt8]], _ message: String, compress: Bool = true, line: Int = #line) throws {
      let tar = members.flatMap { $0 } + [UInt8](repeating: 0, count: 1024)
      try folder.write(compress ? gzipStored(tar) : tar, to: "cifar-10-binary.tar.gz")
      let text = failure()
      #expect(text.contains(message), "line \(line): \(text)")
    }
    let name = "cifar-10-batches-bin/data_batch_1.bin"
    try check([], "does not hold data_batch_1.bin")
    try check(Array(good.dropFirst()), "does not hold data_batch_1.bin")
    try check(
      [tarMember("../data_batch_1.bin", batches[0].1), tarMember("/" + name, batches[0].1)],
      "does not hold data_batch_1.bin")
    try check([tarMember(name, [], type: "2")], "is not a plain file")
    try check([tarMember(name, [], type: "1")], "is not a plain file")
    try check([good[0], good[0]], "is there twice")
    try check([tarMember(name, [1, 2, 3])], "its size is not that of 1 to 10000 records")
    try check([tarMember(name, [], size: 3073 * 10_001)], "its size is not that of 1 to 10000 records")
    try check([tarMember("other", [], size: 0o77777777777)], "not a tar archive")
    try check([tarMember("other", [1], size: 1_000_000)], "ends after")
    var damaged = good[0]
    damaged[0] ^= 1
    try check([damaged], "not a tar archive")
    let bomb = gzipBomb(tarMember("other", [], size: 500 << 20), zeros: 500 << 20)
    try folder.write(bomb, to: "cifar-10-binary.tar.gz")
    #expect(failure().contains("goes on after"))
    try check([Array("<html>".utf8)], "not a tar archive", compress: false)
    try folder.write(Array(gzipStored(good.flatMap { $0 }).dropLast(9000)), to: "cifar-10-binary.tar.gz")
    #expect(failure(.test).contains("ends too early"))
  }

  @Test func damagedFilesAreNamed() throws {
    for (name, bytes) in batches { try folder.write(bytes, to: name) }
    try folder.write(Array(batches[2].1.dropLast()), to: "data_batch_3.bin")
    #expect(failure().contains("data_batch_3.bin: its size"))
    try folder.write(record(10, first: 0), to: "data_batch_3.bin")
    #expect(failure().contains("label 10 at index 2, but there are 10 classes"))
    try FileManager.default.removeItem(atPath: folder.path("data_batch_3.bin"))
    #expect(failure().contains("data_batch_3.bin is missing"))
    #expect(failure(.test).contains("loaded"))
  }

  @Test func withoutFilesTheMessageSaysWhatToGet() {
    #expect(failure().contains("cifar-10-binary.tar.gz  MD5 c32a1d4ab5d03f1284b67883e8d87530"))
  }

  @Test(.enabled(if: realDataFolder != nil, "set APUS_DATA_DIR to a folder with the real files"))
  func theRealFiles() throws {
    let test = try CIFAR10.load(.test, from: DataLocator(folder: realDataFolder, environment: [:]), downloader: nil)
    #expect(test.images.shape == [10_000, 32, 32, 3])
    #expect(test.note == nil)
    for label in 0..<10 { #expect(test.labels.values(as: Int32.self).count { $0 == label } == 1000) }
  }
}
