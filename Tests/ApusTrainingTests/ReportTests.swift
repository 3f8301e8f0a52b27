import ApusCore
import Foundation
import Testing

@testable import ApusTraining

@Suite struct ProgressBarTests {
  private func lines(_ style: ProgressBar.Style, epochs: Int = 1, columns: Int? = nil) -> String {
    var text = ""
    let bar = ProgressBar(style, columns: { columns }) { text += $0 }!
    bar.handle(.trainingBegan(.init(epochs: 1...epochs, stepsPerEpoch: 469, samples: 30_000, batchSize: 64)))
    bar.handle(.epochBegan(1))
    for (step, seconds) in [(120, 1.44), (121, 1.45), (469, 5.628)] {
      bar.handle(
        .progress(
          .init(
            epoch: 1, step: step, stepsPerEpoch: 469, seconds: seconds,
            result: Evaluation(loss: 0.28114, metrics: ["accuracy": 0.91234]))))
    }
    var record = History.Epoch(
      epoch: 1, loss: 0.28114, metrics: ["accuracy": 0.91234], seconds: 5.628, imagesPerSecond: 5330)
    record.validationLoss = 0.0005
    record.validationMetrics = ["accuracy": 1]
    bar.handle(.epochEnded(record))
    bar.handle(.trainingEnded(wasStopped: false))
    return text
  }

  @Test func aTerminalGetsABar() {
    let text = lines(.bar, epochs: 5)
    let parts = text.split(separator: "\r")
    #expect(parts[0] == "Epoch 1/5\n")
    #expect(parts[1] == "120/469 ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 4s 12ms/step - accuracy: 0.9123 - loss: 0.2811")
    // The second came 10 ms after the first: not drawn.
    #expect(parts.count == 4)
    #expect(
      parts[3]
        == "469/469 ━━━━━━━━━━━━━━━━━━━━ 6s 12ms/step - accuracy: 0.9123 - loss: 0.2811 - val_accuracy: 1.0000 "
        + "- val_loss: 5.0000e-04\n")
  }

  @Test func aNarrowTerminalGetsAShortLine() {
    let parts = lines(.bar, columns: 40).split(separator: "\r")
    #expect(parts[0] == "120/469 ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 4s 12ms/st")
    // The last line of an epoch is not drawn over and stays whole.
    #expect(parts.last?.hasSuffix("val_loss: 5.0000e-04\n") == true)
  }

  @Test func anErrorIsNotPrintedBehindTheBar() {
    var text = ""
    do {
      let bar = ProgressBar(.bar, columns: { nil }) { text += $0 }!
      bar.handle(.epochBegan(1))
      bar.handle(
        .progress(.init(epoch: 1, step: 1, stepsPerEpoch: 2, seconds: 1, result: Evaluation(loss: 1, metrics: [:]))))
    }
    #expect(text == "\r1/2 ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ 1s 1s/step - loss: 1.0000\n")
  }

  @Test func aPipeGetsALineAnEpoch() {
    #expect(
      lines(.lines)
        == "Epoch 1/1: 469/469 - 6s - 12ms/step - accuracy: 0.9123 - loss: 0.2811 - val_accuracy: 1.0000 "
        + "- val_loss: 5.0000e-04\n")
  }

  /// A pipe gets what the program prints and the lines of training in the order of the work.
  @Test func linesComeInOrder() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      print("before")
      try makeTrainer().fit(quadrants(40))
      print("after")
    }
    let text = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
    let lines = text.split(separator: "\n").compactMap { line in
      ["before", "Epoch 1/1", "after"].first { line.hasPrefix($0) }
    }
    #expect(lines == ["before", "Epoch 1/1", "after"], "\(text)")
  }

  @Test func times() {
    #expect([0.2, 59, 65, 3723].map(ProgressBar.clock) == ["0s", "59s", "1:05", "1:02:03"])
    #expect([2.4, 0.0124, 0.00064].map(ProgressBar.pace) == ["2s", "12ms", "640us"])
    #expect(
      [0.28114, 0.0005, 0, 12, 9e29].map(ProgressBar.formatted)
        == ["0.2811", "5.0000e-04", "0.0000", "12.0000", "9.0000e+29"])
    #expect(ProgressBar(ProgressBar.Style.none) == nil)
  }
}

@Suite struct HistoryTests {
  private var history: History {
    var history = History(device: "cpu (a & b)", model: "lenet5", seed: 7)
    for epoch in 1...3 {
      var record = History.Epoch(
        epoch: epoch, loss: 1 / Double(epoch), metrics: ["accuracy": 0.9], seconds: 2, imagesPerSecond: 500)
      record.validationLoss = 1.5 / Double(epoch)
      record.validationMetrics = ["accuracy": 0.8]
      history.epochs.append(record)
    }
    history.test = Evaluation(loss: 0.5, metrics: ["accuracy": 0.85])
    return history
  }

  @Test func jsonHasTheAgreedKeys() throws {
    let folder = try TemporaryFolder()
    try history.write(to: folder("history.json"))
    let data = try Data(contentsOf: URL(filePath: folder("history.json")))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(object.keys) == ["device", "model", "seed", "epochs", "test"])
    let epochs = try #require(object["epochs"] as? [[String: Any]])
    #expect(
      Set(epochs[0].keys) == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "images_per_second",
      ])
    #expect(epochs[2]["epoch"] as? Int == 3)
    #expect((object["test"] as? [String: Double]) == ["loss": 0.5, "accuracy": 0.85])
    #expect(try readJSON(History.self, from: folder("history.json")) == history)
  }

  @Test func plotHoldsTheCurves() throws {
    let svg = history.plot.svg
    #expect(svg.components(separatedBy: "<polyline").count == 5)
    #expect(svg.contains("cpu (a &amp; b)"))
    for label in ["Loss", "Accuracy", "training", "validation", "epoch"] { #expect(svg.contains(">\(label)<")) }
    #expect(History(device: "d", model: "m", seed: 0).plot.svg.hasSuffix("</svg>\n"))
    let parser = XMLReader(svg)
    #expect(parser.isWellFormed)
  }

  /// Every tag that opens closes, in order.
  private struct XMLReader {
    let isWellFormed: Bool

    init(_ text: String) {
      var open: [Substring] = []
      for match in text.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
        if match.3 == "/" { continue }
        if match.1.isEmpty {
          open.append(match.2)
        } else if open.popLast() != match.2 {
          isWellFormed = false
          return
        }
      }
      isWellFormed = open.isEmpty
    }
  }

  @Test func ticksAreRound() {
    #expect(Ticks(from: 0.02, to: 0.31, count: 6).values.first == 0)
    #expect(Ticks(from: 1, to: 10, count: 8, minimumStep: 1).values.contains(6))
    let flat = Ticks(from: 0.5, to: 0.5, count: 6)
    #expect(flat.values.first! < 0.5 && flat.values.last! > 0.5)
    #expect(Ticks(from: 0, to: 0, count: 6).values.count >= 2)
    #expect(Ticks(from: 0.97, to: 0.995, count: 6).label(0.975) == "0.975")
  }

  /// A history is a file that anybody may have written: its chart is drawn whatever the numbers are.
  @Test(
    arguments: [
      [-1e308, 1e308], [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], [1e308], [.leastNonzeroMagnitude],
      [-.leastNonzeroMagnitude, 0],
      [1, 1 + 1e-16], [1e300, 1e300 * (1 + 1e-15)], [1.7e31, 2.3], [-1e-300, 1e-300],
    ] as [[Double]])
  func anyNumbersHaveAChart(_ losses: [Double]) {
    var history = History(device: "cpu", model: "m", seed: 0)
    for (index, loss) in losses.enumerated() {
      let epoch = index == 0 ? Int.min : Int.max
      history.epochs.append(
        History.Epoch(epoch: epoch, loss: loss, metrics: ["accuracy": loss], seconds: loss, imagesPerSecond: loss))
    }
    let svg = history.plot.svg
    #expect(XMLReader(svg).isWellFormed)
    #expect(svg.utf8.count < 20_000)
    for number in ["nan", "inf"] { #expect(!svg.contains(number)) }
  }
}
