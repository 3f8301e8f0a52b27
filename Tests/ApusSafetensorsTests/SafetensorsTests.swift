import ApusCore
import ApusSafetensors
import Foundation
import Testing

@Suite struct SafetensorsTests {
  let folder = TemporaryFolder()

  @Test func everyTypeComesBackAsItWas() throws {
    let tensors: [Safetensors.NamedArray] = [
      ("labels", NDArray([1, -2, .max, .min] as [Int32], shape: [4])),
      ("pixels", NDArray([0, 1, 255] as [UInt8], shape: [3, 1])),
      ("weights", NDArray([1.5, -.infinity, .zero, 0x1p-140] as [Float], shape: [2, 2])),
      ("precise", NDArray([0.1, 1e300] as [Double], shape: [1, 2])),
      ("scalar", NDArray(7 as Float)),
      ("empty", NDArray([] as [Float], shape: [0, 5])),
    ]
    let path = folder.path("all.safetensors")
    try Safetensors.write(tensors, metadata: ["format": "pt", "note": "\"tab\t\\ é 🐦\u{1}"], to: path)
    let (read, metadata) = try Safetensors.read(from: path)
    #expect(metadata == ["format": "pt", "note": "\"tab\t\\ é 🐦\u{1}"])
    #expect(Dictionary(uniqueKeysWithValues: read) == Dictionary(uniqueKeysWithValues: tensors))
    // Larger elements first, so that each tensor is aligned; the given order otherwise.
    #expect(read.map(\.name).filter { $0 != "empty" } == ["precise", "labels", "weights", "scalar", "pixels"])
  }

  @Test func theHeaderIsPaddedToEightBytes() throws {
    let path = folder.path("padded.safetensors")
    try Safetensors.write([("x", NDArray(1 as Float))], to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let expected = #"{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#
    #expect(Int(bytes[0]) % 8 == 0)
    #expect(bytes.count == 8 + Int(bytes[0]) + 4)
    #expect(String(decoding: bytes[8..<(8 + expected.utf8.count)], as: UTF8.self) == expected)
  }

  @Test func halfPrecisionIsWidenedExactly() throws {
    // 1, -2, the largest finite half, the smallest subnormal, infinity.
    let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0001, 0x7C00]
    let brains: [UInt16] = [0x3F80, 0xC000, 0x0001]
    let path = try file(
      header: #"{"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},"#
        + #""b":{"dtype":"BF16","shape":[3],"data_offsets":[10,16]}}"#,
      data: (halves + brains).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    let (tensors, _) = try Safetensors.read(from: path)
    #expect(tensors[0].array == NDArray([1, -2, 65504, 0x1p-24, .infinity] as [Float], shape: [5]))
    #expect(tensors[1].array == NDArray([1, -2, Float(bitPattern: 0x0001_0000)] as [Float], shape: [3]))
  }

  @Test func everyHalfEqualsTheHardwareConversion() throws {
    #if !(os(macOS) && arch(x86_64))
      let bits = Array(UInt16.min...UInt16.max)
      let path = try file(
        header: #"{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}"#,
        data: bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
      let values = try Safetensors.read(from: path).tensors[0].array.values(as: Float.self)
      let wrong = zip(bits, values).filter { bits, value in
        let expected = Float(Float16(bitPattern: bits))
        return expected.isNaN ? !value.isNaN : expected.bitPattern != value.bitPattern
      }
      #expect(wrong.isEmpty)
    #endif
  }

  /// As PyTorch writes batch normalization's count of batches beside float32 weights.
  @Test func integersOfOtherWidthsBecomeInt32() throws {
    let path = try file(
      header: #"{"weight":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
        + #""count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
        + #""i8":{"dtype":"I8","shape":[2],"data_offsets":[12,14]},"#
        + #""i16":{"dtype":"I16","shape":[2],"data_offsets":[14,18]},"#
        + #""u16":{"dtype":"U16","shape":[1],"data_offsets":[18,20]},"#
        + #""u32":{"dtype":"U32","shape":[1],"data_offsets":[20,24]},"#
        + #""negative":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},"#
        + #""yes":{"dtype":"BOOL","shape":[2],"data_offsets":[32,34]}}"#,
      data: [100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0x3F, 127, 0x80, 0xFF, 0x7F, 0, 0x80, 0xFF, 0xFF]
        + [0xFF, 0xFF, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 8) + [1, 0])
    let arrays = Dictionary(uniqueKeysWithValues: try Safetensors.read(from: path).tensors)
    func int32(_ values: Int32...) -> NDArray { NDArray(values, shape: [values.count]) }
    #expect(arrays["count"] == NDArray(100 as Int32))
    #expect(arrays["weight"] == NDArray([1.5] as [Float], shape: [1]))
    #expect(arrays["i8"] == int32(127, -128) && arrays["i16"] == int32(32767, -32768))
    #expect(arrays["u16"] == int32(65535) && arrays["u32"] == int32(.max) && arrays["negative"] == int32(-1))
    #expect(arrays["yes"] == NDArray([1, 0] as [UInt8], shape: [2]))
  }

  @Test func whatCannotBeReadDoesNotKeepTheRest() throws {
    let path = try file(
      header: #"{"seed":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"#
        + #""step":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},"#
        + #""packed":{"dtype":"F4","shape":[6],"data_offsets":[16,19]},"#
        + #""bias":{"dtype":"F32","shape":[1],"data_offsets":[19,23]}}"#,
      data: [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 0x80, 0, 0, 0, 0] + [1, 2, 3] + [0, 0, 0x80, 0x3F])
    for (name, message) in [
      ("seed", "'seed': its value 18446744073709551615 does not fit int32"),
      ("step", "'step': its value 2147483648 does not fit int32"),
      ("packed", "'packed': elements of type F4 are not supported"),
    ] {
      let error = #expect(throws: SafetensorsError.self) { try Safetensors.read(from: path, where: { $0 == name }) }
      #expect(error?.reason.contains(message) == true, "\(error!)")
    }
    let (tensors, _) = try Safetensors.read(from: path, where: { $0 == "bias" })
    #expect(tensors.map(\.name) == ["bias"] && tensors[0].array == NDArray([1] as [Float], shape: [1]))
  }

  @Test func escapesAndSpacesInTheHeader() throws {
    let path = try file(
      header:
        "{ \"a\\u00e9\\ud83d\\udc26\\n\" :\n{ \"shape\" : [ 1 , 2 ] , \"data_offsets\":[0,2],\"dtype\":\"U8\"} }   ",
      data: [3, 4])
    let (tensors, _) = try Safetensors.read(from: path)
    #expect(tensors[0].name == "aé🐦\n")
    #expect(tensors[0].array == NDArray([3, 4] as [UInt8], shape: [1, 2]))
  }

  @Test func aFileWithoutTensors() throws {
    let (tensors, metadata) = try Safetensors.read(from: try file(header: "{}", data: []))
    #expect(tensors.isEmpty && metadata.isEmpty)
  }

  // MARK: Hostile files

  /// Header, data bytes, and a piece of the message.
  static let hostileHeaders: [(String, Int, String)] = [
    (#"[]"#, 0, "starts with '{'"),
    (#" x"#, 0, "starts with '{'"),
    (#""#, 0, "starts with '{'"),
    (#"{"#, 0, "'\"' expected"),
    (#"{}{}"#, 0, "after the end"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}"#, 4, "'\"' expected"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, 4, "',' expected"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "takes 8 bytes, its offsets leave 4"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "the tensors take 4 bytes, the file holds 3"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 9, "the tensors take 4 bytes, the file holds 9"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "before it begins"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "leaves a hole"),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#, 6,
      "'b' begins at 2 instead of 4: it overlaps"
    ),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "overflows"),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#, 0, "overflows"),
    (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, "does not fit 64 bits"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "whole number"),
    (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "plain integers"),
    (#"{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}"#, 4, "plain integers"),
    (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, 4, "leading zero"),
    (#"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, 4, "'[' expected"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, "more than 2 numbers"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}"#, 4, "two 'data_offsets'"),
    (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, "are needed"),
    (#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, "'a': elements of type C64 are not supported"),
    (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "'dtype' appears twice"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"code":"x"}}"#, 4, "unknown key 'code'"),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
      2,
      "'a' appears twice"
    ),
    (#"{"__metadata__":{"k":"1","k":"2"}}"#, 0, "'k' appears twice"),
    (#"{"__metadata__":{"k":1}}"#, 0, "'\"' expected"),
    (#"{"__metadata__":{"k":{"k":"v"}}}"#, 0, "'\"' expected"),
    (#"{"__metadata__":[]}"#, 0, "object of strings"),
    (#"{"__metadata__":{},"__metadata__":{}}"#, 0, "'__metadata__' appears twice"),
    (#"{"a\ud800":{}}"#, 0, "surrogate"),
    (#"{"a\q":{}}"#, 0, "unknown escape"),
    ("{\"a\u{0}\":{}}", 0, "control character"),
    (#"{"a":"# + String(repeating: "[", count: 100_000), 0, "must be an object"),
    (#"{"a":{"dtype":"F32","shape":["# + String(repeating: "1,", count: 100_000), 0, "more than 64 numbers"),
    (#"{""# + String(repeating: "n", count: 100_000), 0, "longer than"),
  ]

  @Test(arguments: hostileHeaders.indices)
  func aHostileHeaderIsRefused(index: Int) throws {
    let (header, dataByteCount, message) = Self.hostileHeaders[index]
    let path = try file(header: header, data: [UInt8](repeating: 0, count: dataByteCount))
    let error = try #require(throws: SafetensorsError.self) { try Safetensors.read(from: path) }
    #expect(error.description.contains(message), "\(error)")
    #expect(error.description.contains(path))
  }

  @Test func textThatIsNotUTF8IsRefused() throws {
    var header = Array(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#.utf8)
    header[2] = 0xFF
    let path = folder.path("latin.safetensors")
    try folder.write([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header + [0], to: path)
    let error = #expect(throws: SafetensorsError.self) { try Safetensors.read(from: path) }
    #expect(error?.reason.contains("UTF-8") == true)
  }

  @Test(arguments: [
    ([] as [UInt8], "too few"), ([1, 2, 3], "too few"),
    ([0, 0, 0, 0, 0, 0, 0, 0x80], "claims 9223372036854775808 bytes"),
    ([255, 255, 255, 255, 255, 255, 255, 255], "claims 18446744073709551615 bytes"),
    ([1, 0xE1, 0xF5, 5, 0, 0, 0, 0], "claims 100000001 bytes"),
    ([100, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], "cut short"),
  ])
  func anImpossibleHeaderLengthIsRefused(bytes: [UInt8], message: String) throws {
    let path = folder.path("length.safetensors")
    try folder.write(bytes, to: path)
    let error = #expect(throws: SafetensorsError.self) { try Safetensors.read(from: path) }
    #expect(error?.reason.contains(message) == true)
  }

  /// A file that claims a header of the largest size is refused at its first wrong byte.
  @Test func aHugeHeaderIsNotReadBeforeItIsRefused() throws {
    let path = folder.path("huge.safetensors")
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    var length: UInt64 = 99_999_999
    fwrite(&length, 8, 1, file)
    fputs("{\"a\":" + String(repeating: "{\"a\":", count: 50), file)
    fflush(file)
    #expect(ftruncate(fileno(file), 200_000_000) == 0)  // sparse
    // The thread's own time: other tests may keep it waiting.
    func milliseconds() -> Int {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
    let start = milliseconds()
    #expect(throws: SafetensorsError.self) { try Safetensors.read(from: path) }
    #expect(milliseconds() - start < 100)
  }

  @Test func everyTruncationOfAGoodFileIsRefused() throws {
    let path = folder.path("good.safetensors")
    try Safetensors.write([("a", NDArray([1, 2] as [Float], shape: [2]))], metadata: ["k": "v"], to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for count in 0..<bytes.count {
      try folder.write(Array(bytes[..<count]), to: path)
      #expect(throws: SafetensorsError.self, "\(count) bytes") { try Safetensors.read(from: path) }
    }
  }

  /// No flipped byte may do more than fail or change names and values.
  @Test func flippedBytesDoNotCrash() throws {
    let path = folder.path("flipped.safetensors")
    try Safetensors.write([("a", NDArray([1, 2] as [Float], shape: [2]))], metadata: ["k": "v"], to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0x20, 0x80, 0xFF] {
        var damaged = bytes
        damaged[index] ^= mask
        try folder.write(damaged, to: path)
        _ = try? Safetensors.read(from: path)
      }
    }
  }

  // MARK: Files

  @Test func aMissingFileAndAFolder() throws {
    let missing = #expect(throws: FileError.self) { try Safetensors.read(from: folder.path("missing")) }
    #expect(missing?.isNotFound == true)
    #expect(throws: FileError.self) { try Safetensors.read(from: folder.root) }
  }

  @Test func namesMustDiffer() throws {
    let x = NDArray(1 as Float)
    let path = folder.path("names.safetensors")
    #expect(throws: SafetensorsError.self) { try Safetensors.write([("x", x), ("x", x)], to: path) }
    #expect(throws: SafetensorsError.self) { try Safetensors.write([("__metadata__", x)], to: path) }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
    let path = folder.path("model.safetensors")
    try Safetensors.write([("x", NDArray(1 as Float))], to: path)
    let old = try Data(contentsOf: URL(filePath: path))
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try AtomicFile.write(to: path) { file in
        try file.write([1, 2, 3])
        throw Stop()
      }
    }
    #expect(try Data(contentsOf: URL(filePath: path)) == old)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["model.safetensors"])
    #expect(throws: FileError.self) { try Safetensors.write([], to: folder.path("no/such/folder/model")) }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))) func aFullDiskIsAnError() throws {
    let file = try File(updating: "/dev/full")
    let error = #expect(throws: FileError.self) { try file.write([1, 2, 3]) }
    #expect(error?.code == ENOSPC)
    #expect(error?.description.hasPrefix("/dev/full: cannot write: No space left on device") == true)
  }

  private func file(header: String, data: [UInt8]) throws -> String {
    let path = folder.path("made.safetensors")
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { [UInt8]($0) }
    try folder.write(length + Array(header.utf8) + data, to: path)
    return path
  }
}

/// A folder that is removed when the test ends.
final class TemporaryFolder: Sendable {
  let root: String

  init() {
    root = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path()
    try! FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { root + "/" + name }

  func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }
}
