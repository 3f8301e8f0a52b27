import Apus
import ApusCore
import ArgumentParser

/// `apus data`
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Looks through data: where they are, classes, sizes, formats, what cannot be read.",
    discussion: """
      Of a folder every picture is opened. Ends with 0 also where some cannot be read, unless --on-bad-picture is stop.
      """)

  @Argument(help: ArgumentHelp(DataName.help, valueName: "data"), transform: DataName.init(parsing:))
  var data: DataName

  @OptionGroup var dataOption: DataOption

  @OptionGroup(title: "Options for a folder of pictures") var pictures: PictureOptions

  @Option(
    help: ArgumentHelp("Write a PNG with the first pictures of each class, a row a class.", valueName: "file"))
  var sheet: String?

  @Flag(help: "Print JSON.")
  var json = false

  /// One part of a folder: `train`, or all of it.
  private struct Part: Encodable {
    struct Class: Encodable {
      var name: String
      var pictures: Int
    }
    struct Bad: Encodable {
      var path: String
      var reason: String
    }
    var folder: String
    var pictures: Int
    var classes: [Class]
    var formats: [String: Int]
    var smallest: String?
    var median: String?
    var largest: String?
    var unused: String?
    var note: String?
    var bad: [Bad]
  }

  /// Small, as only what decoding finds is looked for.
  private static let shape = [64, 64, 3]

  func validate() throws {
    guard case .published(let entry) = data else { return }
    if let option = (pictures.given + (sheet == nil ? [] : ["--sheet"])).first {
      throw ValidationError("\(option) goes with a folder of pictures, not with \(entry.name).")
    }
  }

  func run() throws {
    switch data {
    case .published(let entry):
      let parts = try DatasetPart.allCases.map { try entry.load($0, from: dataOption) }
      let reports = parts.map(part)
      if json { return try printJSON(reports, isIndented: true) }
      for (part, report) in zip(DatasetPart.allCases, reports) {
        if let note = report.note { print("note: \(note)") }
        show(report, title: "\(entry.name) \(part), \(report.folder)")
      }
    case .folder(let path): try look(through: path)
    }
  }

  private func part(_ data: ImageDataset) -> Part {
    var counts = [Int](repeating: 0, count: data.classCount)
    for label in data.labels.values(as: Int32.self) { counts[Int(label)] += 1 }
    let size = data.imageShape.shapeDescription
    return Part(
      folder: FilePath.printable(data.source), pictures: data.count,
      classes: zip(data.classNames, counts).map { .init(name: $0, pictures: $1) }, formats: [:], smallest: size,
      median: size, largest: size, note: data.note, bad: [])
  }

  private func look(through folder: String) throws {
    if dataOption.folder != nil { throw CommandError(.usage, "--data-dir does not go with a folder of pictures.") }
    let parts = try ImageFolder.parts(of: folder) {
      try ImageFolder(
        $0, imageShape: Self.shape, labels: pictures.source, classNames: $1, preparation: PicturePreparation(fit: .pad),
        onBadPicture: pictures.onBadPicture)
    }
    let all = [parts.training, parts.validation, parts.test].compactMap { $0 }
    let reports = try all.map { ($0, part($0, try $0.survey())) }
    if json {
      try printJSON(reports.map(\.1), isIndented: true)
    } else {
      for (data, report) in reports {
        show(report, title: report.folder)
        for bad in data.badPictures { print("  \(FilePath.printable("\(bad)"))") }
      }
    }
    if let sheet {
      try parts.training.contactSheet().writePNG(to: sheet)
      if !json { print("first pictures of each class: \(FilePath.printable(sheet))") }
    }
  }

  private func part(_ data: ImageFolder, _ survey: FolderSurvey) -> Part {
    let unused = "\(data.ignored)"
    return Part(
      folder: FilePath.printable(data.folder), pictures: data.count,
      classes: zip(data.classNames, data.classCounts).map { .init(name: FilePath.printable($0), pictures: $1) },
      formats: Dictionary(uniqueKeysWithValues: survey.formats.map { ($0.key.rawValue, $0.value) }),
      smallest: survey.smallest?.description, median: survey.median?.description,
      largest: survey.largest?.description, unused: unused.isEmpty ? nil : unused,
      bad: survey.bad.map { .init(path: FilePath.printable($0.path), reason: FilePath.printable($0.reason)) })
  }

  private func show(_ part: Part, title: String) {
    print("\(title): \(part.pictures) pictures, \(part.classes.count) classes")
    printTable(part.classes.map { ["  \($0.pictures)", $0.name] })
    let formats = part.formats.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
    if !formats.isEmpty { print("formats: \(formats.joined(separator: ", "))") }
    if let smallest = part.smallest, let median = part.median, let largest = part.largest {
      print("sizes: \(smallest) to \(largest), median \(median)")
    }
    if let unused = part.unused { print("not used: \(unused)") }
    if !part.bad.isEmpty { print("cannot be read: \(part.bad.count)") }
  }
}
