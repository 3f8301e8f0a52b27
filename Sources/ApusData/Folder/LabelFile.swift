import ApusCore
import Foundation

/// A table of pictures and their labels: a CSV file with or without a header, or JSON.
///
/// ```
/// filename,label              {"a.png": "cat", "b/c.jpg": "dog"}
/// a.png,cat                   [{"file": "a.png", "label": "cat"}, ...]
/// b/c.jpg,dog
/// ```
/// Paths are relative to the folder of pictures; Kaggle's may lack the extension.
struct LabelFile {
  /// In the file's order.
  let rows: [(path: String, label: String)]

  private static let fileColumns: Set<String> = [
    "file", "filename", "file_name", "path", "filepath", "image", "image_id", "image_name", "id", "name",
  ]
  private static let labelColumns: Set<String> = [
    "label", "class", "class_name", "category", "target", "breed", "species",
  ]
  private static let maximumByteCount = 1 << 30

  /// - Throws: `DataError` for a file that holds something else, `FileError`.
  init(_ path: String) throws {
    guard let bytes = try File.contents(of: path, maximumByteCount: Self.maximumByteCount) else {
      throw DataError(.malformed, at: path, "more than \(Self.maximumByteCount >> 20) MiB are no table of labels")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DataError(.malformed, at: path, "it is not UTF-8 text", advice: "give a CSV or JSON file of labels")
    }
    let isJSON = text.unicodeScalars.first { !$0.properties.isWhitespace }.map { $0 == "{" || $0 == "[" } ?? false
    rows = try isJSON ? Self.json(bytes, path) : Self.csv(text, path)
    if rows.isEmpty { throw DataError(.malformed, at: path, "it holds no labels") }
  }

  // MARK: JSON

  private static func json(_ bytes: [UInt8], _ path: String) throws -> [(path: String, label: String)] {
    func failure(_ reason: String) -> DataError {
      DataError(
        .malformed, at: path, reason,
        advice: #"write {"a.png": "cat", ...} or [{"file": "a.png", "label": "cat"}, ...]"#)
    }
    let value: Any
    do {
      value = try JSONSerialization.jsonObject(with: Data(bytes))
    } catch {
      throw failure("it is damaged JSON: \((error as NSError).userInfo[NSDebugDescriptionErrorKey] ?? error)")
    }
    if let table = value as? [String: Any] {
      return try table.sorted { $0.key < $1.key }.map { file, label in
        guard let label = text(label) else { throw failure("the label of \(file) is neither text nor a number") }
        return (file, label)
      }
    }
    guard let list = value as? [[String: Any]] else { throw failure("it is neither an object nor a list of objects") }
    return try list.enumerated().map { number, entry in
      func field(_ names: Set<String>) -> String? {
        entry.first { names.contains($0.key.lowercased()) }.flatMap { text($0.value) }
      }
      guard let file = field(fileColumns), let label = field(labelColumns) else {
        throw failure("entry \(number) has no file or no label")
      }
      return (file, label)
    }
  }

  private static func text(_ value: Any) -> String? {
    if let text = value as? String { return text }
    return (value as? NSNumber).map { "\($0)" }
  }

  // MARK: CSV (RFC 4180; also with semicolons or tabs)

  private static func csv(_ text: String, _ path: String) throws -> [(path: String, label: String)] {
    let lines = CSVLines(text)
    guard let first = lines.rows.first?.fields else { return [] }
    let names = first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    let columns = (
      file: names.firstIndex(where: fileColumns.contains), label: names.firstIndex(where: labelColumns.contains)
    )
    let (file, label, hasHeader) =
      switch columns {
      case (let file?, let label?): (file, label, true)
      // Without names: the file, then the label.
      case (nil, nil): (0, 1, false)
      // One name that is known: the other column is the other one of two.
      case (let file?, nil) where first.count == 2: (file, 1 - file, true)
      case (nil, let label?) where first.count == 2: (1 - label, label, true)
      default:
        throw DataError(
          .malformed, at: path,
          "its header \(first.joined(separator: ",")) does not say which columns are the file and "
            + "the label", advice: "name them 'filename' and 'label'")
      }
    return try lines.rows.dropFirst(hasHeader ? 1 : 0).map { row in
      guard max(file, label) < row.fields.count, !row.fields[file].isEmpty, !row.fields[label].isEmpty else {
        throw DataError(
          .malformed, at: "\(path), line \(row.line)", "a file and its label were expected",
          advice: "write one picture a line: filename,label")
      }
      return (row.fields[file], row.fields[label])
    }
  }
}

/// Lines of separated values; those in quotation marks may hold separators, line breaks and doubled marks.
struct CSVLines {
  private(set) var rows: [(line: Int, fields: [String])] = []

  /// The separator is the first of comma, semicolon and tab that the first line holds.
  init(_ text: String) {
    // A byte order mark is no text.
    let scalars = Array(text.unicodeScalars.drop { $0 == "\u{FEFF}" })
    let separator = scalars.prefix { $0 != "\n" }.first { $0 == "," || $0 == ";" || $0 == "\t" } ?? ","
    var fields: [String] = []
    var field = String.UnicodeScalarView()
    var (line, start, isQuoted) = (1, 1, false)
    var position = 0
    func endField() {
      fields.append(String(field))
      field = .init()
    }
    func endRow() {
      endField()
      // Empty lines say nothing.
      if fields != [""] { rows.append((start, fields)) }
      fields = []
    }
    while position < scalars.count {
      let scalar = scalars[position]
      position += 1
      if scalar == "\n" { line += 1 }
      if isQuoted {
        if scalar != "\"" {
          field.append(scalar)
        } else if position < scalars.count, scalars[position] == "\"" {
          field.append(scalar)
          position += 1
        } else {
          isQuoted = false
        }
      } else if scalar == "\"" && field.isEmpty {
        isQuoted = true
      } else if scalar == separator {
        endField()
      } else if scalar == "\n" {
        endRow()
        start = line
      } else if scalar != "\r" {
        field.append(scalar)
      }
    }
    if !field.isEmpty || !fields.isEmpty { endRow() }
  }
}
