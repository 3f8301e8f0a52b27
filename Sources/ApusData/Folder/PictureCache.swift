import ApusCore
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Decoded pictures in a file, so that each is decoded once, whatever number of trainings there are.
///
/// A file is for one shape and preparation. A record is a picture's key, the MD5 sum of its file's number, size and time
/// of change, then a checksum, and its pixels. Records are only added; one that is damaged, as by a cut in power, is as
/// good as none.
final class PictureCache: Sendable {
  private static let headerCount = 32 + MemoryLayout<UInt64>.size

  private let shape: [Int]
  private let preparation: PicturePreparation
  private struct State {
    /// Records by their keys.
    var places: [String: Int] = [:]
    var count = 0
    var problem: FileError?
  }
  private let state: Mutex<State>
  /// Only its calls with an offset are made, which any thread may make.
  nonisolated(unsafe) private let file: File

  private var recordCount: Int { Self.headerCount + shape.elementCount }

  /// Opens or makes the cache of pictures of that shape and preparation in `folder`.
  ///
  /// - Throws: `FileError`; `DataError` where another program uses it.
  init(_ folder: String, shape: [Int], preparation: PicturePreparation) throws {
    (self.shape, self.preparation) = (shape, preparation)
    try FilePath.createFolder(folder)
    let kind = String(MD5.hexDigest(of: Array("\(shape) \(preparation)".utf8)).prefix(8))
    let path = FilePath.join(folder, "\(shape.map(String.init).joined(separator: "x"))-\(kind).pictures")
    let file = try File(updating: path)
    guard file.lockIfFree() else {
      throw DataError(.invalidArgument, at: path, "another training uses this cache", advice: "give it another folder")
    }
    self.file = file
    var state = State()
    let recordCount = Self.headerCount + shape.elementCount
    state.count = try file.byteCount / recordCount
    var header = [UInt8](repeating: 0, count: Self.headerCount)
    for record in 0..<state.count {
      try header.withUnsafeMutableBytes { try file.read(at: record * recordCount, into: $0) }
      state.places[String(decoding: header[..<32], as: UTF8.self)] = record
    }
    self.state = Mutex(state)
  }

  /// Why pictures are no longer added; `nil` where they are.
  var problem: FileError? { state.withLock { $0.problem } }

  /// The picture at `path`: from the cache, or what `decode` makes, which is kept.
  func picture(at path: String, decode: () throws -> Image) throws -> Image {
    guard let key = key(path) else { return try decode() }
    if let record = state.withLock({ $0.places[key] }), let picture = read(record) { return picture }
    let picture = try decode()
    add(picture, key)
    return picture
  }

  /// `nil` for what is not there.
  private func key(_ path: String) -> String? {
    var status = stat()
    guard stat(FilePath.system(path), &status) == 0 else { return nil }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    let file = "\(status.st_dev) \(status.st_ino) \(status.st_size) \(time.tv_sec) \(time.tv_nsec)"
    return MD5.hexDigest(of: Array(file.utf8))
  }

  /// `nil` for a record that is damaged.
  private func read(_ record: Int) -> Image? {
    var bytes = [UInt8](repeating: 0, count: recordCount)
    guard (try? bytes.withUnsafeMutableBytes { try file.read(at: record * recordCount, into: $0) }) == recordCount
    else { return nil }
    let pixels = Array(bytes[Self.headerCount...])
    let sum = bytes[32..<Self.headerCount].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Checksum(pixels).value == sum ? Image(unchecked: NDArray(bytes: pixels, shape: shape, dtype: .uint8)!) : nil
  }

  /// Adds a record; where there is no room any more, nothing from then on.
  private func add(_ picture: Image, _ key: String) {
    let record = state.withLock { state -> Int? in
      guard state.problem == nil else { return nil }
      defer { state.count += 1 }
      return state.count
    }
    guard let record else { return }
    let pixels = picture.pixels.bytes
    let sum = Checksum(pixels).value
    let bytes = Array(key.utf8) + (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt64($0))) } + pixels
    do {
      try bytes.withUnsafeBytes { try file.write($0, at: record * recordCount) }
      state.withLock { $0.places[key] = record }
    } catch {
      let problem = error as! FileError
      state.withLock { $0.problem = $0.problem ?? problem }
    }
  }
}
