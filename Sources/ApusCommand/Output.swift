import ApusCore
import Foundation

/// Tells what went wrong: `apus: ...`. File names in it cannot move a terminal's cursor.
func reportError(_ error: any Error) {
  writeToStandardError("apus: \(FilePath.printable("\(error)", keepsLines: true))")
}

/// Writes text to standard error; a reader that is gone is ignored.
func writeToStandardError(_ text: String, terminator: String = "\n") {
  let bytes = Array((text + terminator).utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Prints a value as JSON with keys in snake_case, on one line or indented.
func printJSON(_ value: some Encodable, isIndented: Bool = false) throws {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Rows as columns of equal width, two blanks apart; the last column is not padded.
func printTable(_ rows: [[String]]) {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in rows.compactMap { column < $0.count ? $0[column].count : nil }.max() ?? 0 }
  for row in rows {
    let cells = row.enumerated().map { column, text in
      column == row.count - 1 ? text : text + String(repeating: " ", count: widths[column] - text.count)
    }
    print(cells.joined(separator: "  "))
  }
}
