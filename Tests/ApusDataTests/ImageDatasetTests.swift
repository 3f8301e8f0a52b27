import ApusCore
import Testing

@testable import ApusData

@Suite struct DatasetTests {
  private func dataset(_ count: Int) throws -> ImageDataset {
    try ImageDataset(
      name: "tiny", images: NDArray((0..<(count * 2)).map { UInt8($0) }, shape: [count, 1, 2, 1]),
      labels: NDArray((0..<count).map { Int32($0 % 2) }, shape: [count]), classNames: ["even", "odd"])
  }

  @Test func rangesKeepPicturesAndLabelsTogether() throws {
    let part = try dataset(10)[3..<5]
    #expect(part.images == NDArray([6, 7, 8, 9] as [UInt8], shape: [2, 1, 2, 1]))
    #expect(part.labels == NDArray([1, 0] as [Int32], shape: [2]))
    #expect(try dataset(10).prefix(4).count == 4)
    #expect(try dataset(10).prefix(99) == dataset(10))
    #expect(try dataset(10).imageShape == [1, 2, 1])
  }

  /// MD5 of the bytes 0, 1, 2, 3 and the int32 labels 0 and 1.
  @Test func theIdentityIsOfPixelsAndLabels() throws {
    let identity = try dataset(2).identity
    let bytes: [UInt8] = [0, 1, 2, 3, 0, 0, 0, 0, 1, 0, 0, 0]
    #expect(identity == DataIdentity(name: "tiny", count: 2, md5: MD5.hexDigest(of: bytes)))
    #expect(identity.description == "tiny, 2 pictures, MD5 19711e65e34142218433ee174e7d30bc")
    #expect(!identity.hasSameContents(as: try dataset(3).identity))
    var renamed = identity
    renamed.name = "other"
    #expect(renamed.hasSameContents(as: identity))
  }

  /// As Keras: `floor(n * (1 - f))` in floating point, the last part for validation.
  @Test(arguments: [(10, 0.1, 9), (10, 0.25, 7), (10, 0.01, 9), (3, 0.5, 1), (100, 0.2, 80)])
  func validationIsTheLastPart(count: Int, fraction: Double, cut: Int) throws {
    let all = try dataset(count)
    let (training, validation) = try all.split(validationFraction: fraction)
    #expect(training == all[0..<cut])
    #expect(validation == all[cut..<count])
  }

  @Test(arguments: [0, 1, -0.1, 1.5, .nan, 0.9]) func aSplitWithoutAPartIsAnError(fraction: Double) throws {
    let error = #expect(throws: DataError.self) { try dataset(2).split(validationFraction: fraction) }
    #expect(error?.kind == .invalidArgument)
  }

  @Test func whatDoesNotFitIsRefused() {
    func failure(_ images: NDArray, _ labels: NDArray) -> String {
      do {
        _ = try ImageDataset(name: "bad", images: images, labels: labels, classNames: ["a", "b"])
        return "made"
      } catch {
        return "\(error)"
      }
    }
    let images = NDArray(zeros: [2, 1, 1, 1], dtype: .uint8)
    #expect(failure(images, NDArray([0, 1] as [Int32], shape: [2])) == "made")
    #expect(
      failure(images, NDArray([0, 2] as [Int32], shape: [2])).contains("label 2 at index 1, but there are 2 classes"))
    #expect(failure(images, NDArray([-1, 0] as [Int32], shape: [2])).contains("label -1 at index 0"))
    #expect(failure(images, NDArray([0] as [Int32], shape: [1])).contains("2 images, but 1 labels"))
    #expect(failure(images, NDArray([0, 1] as [Float], shape: [2])).contains("labels are float32"))
    #expect(
      failure(NDArray(zeros: [2, 1, 1, 1]), NDArray([0, 1] as [Int32], shape: [2])).contains(
        "images are float32 2x1x1x1"))
    #expect(
      failure(NDArray(zeros: [0, 1, 1, 1], dtype: .uint8), NDArray([] as [Int32], shape: [0])).contains("no pixels"))
  }
}

@Suite struct DigitsTests {
  /// The same bytes on every machine.
  @Test func theBytesAreFixed() throws {
    let data = try Digits.train(count: 500)
    #expect(MD5.hexDigest(of: data.images.bytes) == "8bb402ac7cc5ba5242ba0b5d4e372f98")
    #expect(MD5.hexDigest(of: data.labels.bytes) == "4f7252c4d02b48c5ac3ee05e5be5e132")
  }

  @Test func picturesDependOnSeedPartAndIndexAlone() throws {
    let data = try Digits.train(count: 50)
    #expect(try Digits.train(count: 20) == data.prefix(20))
    #expect(try Digits.train(count: 50, seed: 1).images != data.images)
    #expect(try Digits.test(count: 50).images != data.images)
    #expect(data.isSynthetic)
    #expect(data.imageShape == [28, 28, 1])
    #expect(throws: DataError.self) { try Digits.train(count: 0) }
    #expect(throws: HostMemoryError.self) { try Digits.train(count: .max) }
    #expect(throws: HostMemoryError.self) { try Digits.train(count: 1 << 50) }
  }

  @Test func everyClassIsThereAboutEquallyOften() throws {
    let labels = try Digits.test().labels.values(as: Int32.self)
    #expect(labels.count == 2000)
    for digit in 0..<10 { #expect((150...250).contains(labels.count { $0 == digit })) }
  }

  /// The pictures differ within a class, and the classes' means differ from each other.
  @Test func picturesAreVariedAndClassesDiffer() throws {
    let data = try Digits.train(count: 1000)
    #expect(Set((0..<1000).map { data.images.rows($0..<($0 + 1)) }).count == 1000)
    let labels = data.labels.values(as: Int32.self)
    let means = (0..<10).map { digit in
      let members = labels.indices.filter { labels[$0] == digit }
      return (0..<784).map { pixel in
        members.reduce(0.0) { $0 + Double(data.images.bytes[$1 * 784 + pixel]) } / Double(members.count)
      }
    }
    for a in 0..<10 {
      for b in 0..<a {
        let distance = zip(means[a], means[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        #expect(distance > 200, "\(a) and \(b)")
      }
    }
  }
}

@Suite struct MD5Tests {
  /// The test suite of RFC 1321, appendix A.5.
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
    (
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
  ])
  func digestsOfTheRFC(text: String, digest: String) { #expect(MD5.hexDigest(of: Array(text.utf8)) == digest) }

  @Test func piecesMakeTheSameDigest() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    for size in [1, 63, 64, 65, 200] {
      var digest = MD5()
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { digest.update($0) }
      }
      #expect(digest.finish() == MD5.hexDigest(of: bytes))
    }
  }
}
