import ApusCore
import Foundation
import Testing

@testable import ApusData

@Suite(.withCodecs) struct ImageFolderTests {
  private let folder = TemporaryFolder()

  /// A PNG of one colour.
  private func picture(_ value: UInt8, height: Int = 6, width: Int = 8) throws -> [UInt8] {
    try Image(pixels: NDArray([UInt8](repeating: value, count: height * width), shape: [height, width, 1])).pngData()
  }

  private func write(_ names: [String], value: UInt8 = 7) throws {
    for name in names { try folder.write(try picture(value), to: name) }
  }

  private func open(
    _ labels: PictureLabels = .folders, shape: [Int] = [4, 4, 1], classNames: [String]? = nil,
    onBadPicture: BadPicturePolicy = .skip
  ) throws -> ImageFolder {
    try ImageFolder(
      folder.root, imageShape: shape, labels: labels, classNames: classNames, onBadPicture: onBadPicture)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch {
      return "\(error)"
    }
  }

  /// Pixels and label of a sample.
  private func sample(_ data: ImageFolder, _ index: Int) throws -> (pixels: [UInt8], label: Int32) {
    var pixels = [UInt8](repeating: 0, count: data.imageShape.elementCount)
    var label: Int32 = -1
    try pixels.withUnsafeMutableBytes { pixels in
      try withUnsafeMutableBytes(of: &label) { label in
        try data.read(index, into: Sample(inputs: [pixels], targets: [label]))
      }
    }
    return (pixels, label)
  }

  // MARK: What is found

  @Test func classesAreFolders() throws {
    try write(["dog/2.png", "dog/10.png", "cat/deep/er/1.JPG", "cat/a.png", "stray.png"])
    // By its bytes, as it has no extension.
    try write(["cat/b"])
    for name in [".DS_Store", "cat/._a.png", "dog/Thumbs.db", "__MACOSX/dog/._2.png"] {
      try folder.write([0], to: name)
    }
    for name in ["notes.txt", "dog/list.csv", "cat/README"] { try folder.write(Array("hello".utf8), to: name) }
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    let pets = try open()
    #expect(pets.classNames == ["cat", "dog"])
    #expect(pets.paths == ["cat/a.png", "cat/b", "cat/deep/er/1.JPG", "dog/10.png", "dog/2.png"])
    #expect(pets.labels == [0, 0, 0, 1, 1])
    #expect(pets.classCounts == [3, 2])
    #expect(
      "\(pets.ignored)"
        == "4 hidden files or folders, 1 file without an extension, 1 file .csv, 1 file .txt, 1 picture outside of the "
        + "classes' folders, nothing in empty")
  }

  /// Names that are no text, blanks, marks and letters of other scripts.
  @Test func namesAreBytes() throws {
    let names = ["ca t/ü.png", "ca t/e\u{301}.png", "猫/😀 1.png", "猫/a\nb.png"]
    try write(names)
    let raw = folder.root.utf8CString.dropLast() + Array("/ca t/x".utf8CString.dropLast()) + [-1, -2]
    let path = raw + Array(".png".utf8CString)
    let bytes = try picture(1)
    let file = path.withUnsafeBufferPointer { fopen($0.baseAddress, "w") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    let data = try open()
    #expect(data.count == 5 && data.classNames == ["ca t", "猫"])
    #expect(try data.decoded().count == 5)
  }

  @Test func linksAreFollowedUnlessTheyLeadBack() throws {
    try write(["cat/1.png", "elsewhere/2.png"])
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: folder.path("dog"), withDestinationPath: folder.path("elsewhere"))
    #expect(try open().classNames == ["cat", "dog", "elsewhere"])
    try manager.createSymbolicLink(atPath: folder.path("cat/again"), withDestinationPath: "..")
    #expect(message { _ = try open() }.contains("cat/again: it is a link that leads back to \(folder.root); remove it"))
  }

  @Test func foldersThatMakeNoDataSetAreRefused() throws {
    #expect(message { _ = try open() }.contains("no pictures in it; give a folder with a folder of pictures"))
    try folder.write([1], to: "x/notes.txt")
    #expect(message { _ = try open() }.contains("no pictures in it, only 1 file .txt, nothing in x"))
    try write(["1.png", "2.png"])
    #expect(message { _ = try open() }.contains("it holds 2 pictures, but no folder for each class"))
    try write(["cat/1.png"])
    #expect(message { _ = try open() }.contains("it has one class only, 'cat'"))
    try write(["dog/1.png"])
    #expect(
      message { _ = try open(classNames: ["cat", "cow"]) }.contains("the class 'dog', which is none of the network's"))
    #expect(message { _ = try open(shape: [4, 4, 2]) }.contains("4x4x2 is no shape of pictures"))
    #expect(throws: FileError.self) { try ImageFolder(folder.path("nosuch"), imageShape: [4, 4, 1]) }
  }

  // MARK: Labels from elsewhere

  @Test(arguments: [
    "filename,label\na.png,cat\nb.png,dog\nsub/c.png,\"cat\"\n", "a.png;cat\r\nb.png;dog\r\n\r\nsub/c.png;cat",
    "\u{FEFF}label\tfile\ncat\ta.png\ndog\tb.png\ncat\tsub/c.png\n",
    "id,breed\na,cat\nb,dog\nsub/c,cat\n", #"{"a.png": "cat", "b.png": "dog", "sub/c.png": "cat"}"#,
    #"[{"file": "a.png", "label": "cat", "x": 1}, {"file": "b.png", "label": "dog"}, {"file": "sub/c.png", "label": "cat"}]"#,
  ])
  func labelsFromAFile(_ text: String) throws {
    try write(["a.png", "b.png", "sub/c.png", "other.png"])
    try folder.write(Array(text.utf8), to: "labels.txt")
    let data = try open(.file(folder.path("labels.txt")))
    #expect(data.paths == ["a.png", "b.png", "sub/c.png"] && data.classNames == ["cat", "dog"])
    #expect(data.labels == [0, 1, 0] && data.ignored.unlabelled == 1)
  }

  @Test(arguments: [
    ("a.png,cat\nno.png,dog\n", "1 of its 2 pictures are not in"),
    ("a.png,cat\nb.png\n", "line 2: a file and its label"),
    ("x,y,z\n1,2,3\n", "cannot"), ("", "it holds no labels"), ("{\"a.png\": [1]}", "neither text nor a number"),
    ("[1, 2]", "neither an object nor a list"), ("{\"a", "damaged JSON"),
    ("[{\"file\": \"a.png\"}]", "entry 0 has no file"),
    ("file,width,height\na.png,1,2\n", "does not say which columns"),
  ])
  func badLabelFilesAreRefused(_ text: String, _ reason: String) throws {
    try write(["a.png", "b.png"])
    try folder.write(Array(text.utf8), to: "labels.csv")
    let path = folder.path("labels.csv")
    let found = message { _ = try open(.file(path)) }
    #expect(found.contains(path))
    #expect(reason == "cannot" ? found.contains("are not in") : found.contains(reason), "\(found)")
  }

  @Test func labelsFromNames() throws {
    try write(["cat_1.png", "sub/dog_22.png", "cat_x.png", "readme.png"])
    let data = try open(.pattern(#"(.+)_\d+\.png"#))
    #expect(data.paths == ["cat_1.png", "sub/dog_22.png"] && data.classNames == ["cat", "dog"])
    #expect(data.ignored.unlabelled == 2)
    #expect(message { _ = try open(.pattern("(")) }.contains("no regular expression"))
    #expect(message { _ = try open(.pattern("cat")) }.contains("none of its 4 pictures fits the pattern 'cat'"))
  }

  // MARK: Reading

  @Test func picturesAreBroughtToOneShape() throws {
    // The left half dark, the right one light; twice as wide as high.
    let wide = (0..<(8 * 16)).map { $0 % 16 < 8 ? UInt8(0) : 200 }
    try folder.write(try Image(pixels: NDArray(wide, shape: [8, 16, 1])).pngData(), to: "a/1.png")
    try write(["b/1.png"], value: 9)
    func pixels(_ fit: PictureFit, _ shape: [Int] = [4, 4, 1]) throws -> [UInt8] {
      let data = try ImageFolder(
        folder.root, imageShape: shape, preparation: PicturePreparation(fit: fit, background: .white))
      return try sample(data, 0).pixels
    }
    let bar: [UInt8] = [0, 0, 200, 200]
    #expect(try pixels(.crop).prefix(4).first == 0 && pixels(.crop).prefix(4).last == 200)
    let stretched = try pixels(.stretch)
    #expect(stretched[0] == 0 && stretched[3] == 200)
    // Half as high as wide, in the middle of white.
    let padded = try pixels(.pad)
    #expect(padded[0..<4] == [255, 255, 255, 255] && padded[12..<16] == [255, 255, 255, 255])
    #expect([padded[4], padded[7]] == [bar[0], bar[3]] && padded[4..<8] == padded[8..<12])
    // Grey becomes RGB.
    #expect(try pixels(.stretch, [4, 4, 3]).prefix(3) == [0, 0, 0])
    #expect(try sample(ImageFolder(folder.root, imageShape: [4, 4, 1]), 1).label == 1)
  }

  @Test func badPicturesAreLeftOut() throws {
    try write(["a/1.png", "a/4.png"], value: 1)
    try write(["b/1.png"], value: 2)
    let good = try picture(3)
    try folder.write([], to: "a/2.png")
    try folder.write(Array(good.prefix(good.count / 2)), to: "a/3.png")
    try folder.write(Array("%PDF-1.7 and so on".utf8), to: "b/2.gif")
    let data = try open()
    #expect(data.count == 6)
    // The next one stands in its place, that after the last is the first.
    #expect(try (0..<6).map { try sample(data, $0).pixels[0] } == [1, 1, 1, 1, 2, 1])
    #expect(try (0..<6).map { try sample(data, $0).label } == [0, 0, 0, 0, 1, 0])
    #expect(data.badPictures.map { FilePath.split($0.path).name } == ["2.png", "3.png", "2.gif"])
    #expect(data.badPictures[0].reason.contains("the file is empty"))
    #expect(data.badPictures[2].reason.contains("it is no picture of a format that is read"))

    let decoded = try open().decoded()
    #expect(decoded.count == 3 && decoded.labels == NDArray([0, 0, 1] as [Int32], shape: [3]))
    #expect(decoded.images.bytes.enumerated().allSatisfy { $1 == ($0 < 32 ? 1 : 2) })

    let strict = try open(onBadPicture: .stop)
    #expect(message { _ = try strict.decoded() }.contains("a/2.png: the file is empty"))
    #expect(message { _ = try sample(strict, 1) }.contains("a/2.png: the file is empty"))
    #expect(try sample(strict, 0).label == 0)

    for name in ["a/1.png", "a/4.png", "b/1.png"] { try folder.write([1], to: name) }
    #expect(message { _ = try open().decoded() }.contains("none of its 6 pictures can be read"))
    #expect(message { _ = try sample(open(), 3) }.contains("none of its 6 pictures can be read"))
  }

  // MARK: Cache

  @Test func picturesAreDecodedOnce() throws {
    try write(["a/1.png", "a/2.png"], value: 1)
    try write(["b/1.png"], value: 2)
    let path = folder.path("cache")
    func pixels() throws -> [UInt8] {
      let data = try open().cached(in: path)
      #expect(data.cacheProblem == nil)
      return try (0..<3).map { try sample(data, $0).pixels[0] }
    }
    #expect(try pixels() == [1, 1, 2])
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: path).first)
    let file = "cache/" + name
    var bytes = try #require(folder.read(file))
    let (header, size) = (40, bytes.count / 3)
    #expect(bytes.count % 3 == 0)
    // Pixels that no picture has, with their checksum, come from the cache.
    func change(_ record: Int, to value: UInt8, isDamaged: Bool = false) throws {
      let first = record * size + header
      for i in first..<(first + size - header) { bytes[i] = value }
      let sum = Checksum(bytes[first..<(first + size - header)]).value &+ (isDamaged ? 1 : 0)
      for i in 0..<8 { bytes[record * size + 32 + i] = UInt8(truncatingIfNeeded: sum >> (8 * UInt64(i))) }
      try folder.write(bytes, to: file)
    }
    try change(0, to: 9)
    #expect(try pixels() == [9, 1, 2])
    // A damaged record is none, and a part of one is nothing.
    try change(0, to: 9, isDamaged: true)
    try folder.write(Array(bytes.dropLast(3)), to: file)
    #expect(try pixels() == [1, 1, 2])
    // A picture that has changed is decoded again.
    try write(["b/1.png"], value: 7)
    #expect(try pixels() == [1, 1, 7])
    let first = try open().cached(in: path)
    #expect(message { _ = try open().cached(in: path) }.contains("another training uses this cache"))
    _ = first
    try folder.write([1], to: "file")
    #expect(message { _ = try open().cached(in: folder.path("file")) }.contains("file"))
  }

  // MARK: Parts

  @Test func splitsTakeTheSameShareOfEachClass() throws {
    try write((0..<20).map { "a/\($0).png" } + (0..<5).map { "b/\($0).png" } + ["c/only.png"])
    let all = try open()
    let (training, validation) = try all.split(validationFraction: 0.2, seed: 4)
    #expect(training.classCounts == [16, 4, 1] && validation.classCounts == [4, 1, 0])
    #expect(Set(training.paths).isDisjoint(with: validation.paths))
    #expect(Set(training.paths + validation.paths) == Set(all.paths))
    #expect(try all.split(validationFraction: 0.2, seed: 4).validation.paths == validation.paths)
    #expect(try all.split(validationFraction: 0.2, seed: 5).validation.paths != validation.paths)
    #expect(throws: DataError.self) { try all.split(validationFraction: 1) }
    #expect(training.balanced().classCounts == [16, 16, 16])
  }

  @Test func partsAreFolders() throws {
    try write(["train/a/1.png", "train/b/1.png", "valid/b/2.png", "test/a/3.png", "test/b/3.png"])
    #expect(ImageFolder.hasParts(folder.root))
    let parts = try ImageFolder.parts(of: folder.root) {
      try ImageFolder($0, imageShape: [4, 4, 1], classNames: $1)
    }
    #expect(parts.training.count == 2 && parts.validation?.labels == [1] && parts.test?.labels == [0, 1])
    try write(["valid/c/1.png"])
    #expect(
      message {
        _ = try ImageFolder.parts(of: folder.root) { try ImageFolder($0, imageShape: [4, 4, 1], classNames: $1) }
      }.contains("the class 'c', which is none of the network's"))
  }
}
