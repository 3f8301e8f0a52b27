import Foundation

/// What is sent to the program.
enum StandardInput {
  private static let maximumByteCount = 1 << 29

  /// All of it.
  ///
  /// - Throws: `CommandError` for more than a picture's file may have.
  static func contents() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try FileHandle.standardInput.read(upToCount: 1 << 20), !piece.isEmpty {
      bytes += piece
      guard bytes.count <= maximumByteCount else {
        throw CommandError(.badData, "standard input: more than \(maximumByteCount >> 20) MiB are no picture")
      }
    }
    return bytes
  }
}
