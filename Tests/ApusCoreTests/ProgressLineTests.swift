import Synchronization
import Testing

@testable import ApusCore

/// One after the other: a program has one line.
@Suite(.serialized) struct ProgressLineTests {
  /// A terminal that keeps what is written, with a clock that is set.
  private final class Paper: Sendable {
    private let state = Mutex((text: "", seconds: 5.0))

    var text: String { state.withLock(\.text) }

    func pass(_ seconds: Double) { state.withLock { $0.seconds += seconds } }

    var terminal: ProgressLine.Terminal {
      .init(seconds: { self.state.withLock(\.seconds) }) { text in self.state.withLock { $0.text += text } }
    }
  }

  /// What is written while `body` works.
  private func written(_ body: (Paper) -> Void) -> String {
    let paper = Paper()
    ProgressLine.begin(on: paper.terminal)
    body(paper)
    ProgressLine.begin(on: nil)
    return paper.text
  }

  /// Counts, and lets `seconds` pass for each.
  private func wait(_ paper: Paper, _ what: String = "Building kernels", total: Int, seconds: Double) {
    let line = ProgressLine(what, total: total)
    for _ in 0..<total {
      line?.next()
      paper.pass(seconds)
    }
  }

  @Test func isDrawnInPlaceAfterASecondAndErased() {
    let text = written { wait($0, total: 10, seconds: 0.4) }
    let lines = (4...10).map { "\rBuilding kernels: \($0) of 10" }.joined()
    #expect(text == lines + "\r" + String(repeating: " ", count: 26) + "\r")
  }

  @Test func isNotDrawnMoreOftenThanAnEyeSees() {
    let text = written { wait($0, total: 300, seconds: 0.01) }
    let drawings = text.split(separator: "\r").filter { $0.hasPrefix("Building") }
    #expect((18...21).contains(drawings.count), "\(drawings.count)")
  }

  @Test func shortWaitsShowNothing() {
    let text = written { paper in
      for _ in 0..<5 { wait(paper, total: 9, seconds: 0.1) }
    }
    #expect(text == "")
  }

  @Test func workInsideOfAWaitDoesNotReplaceItsLine() {
    let text = written { paper in
      let line = ProgressLine("Checking products", total: 2)
      for _ in 0..<2 {
        line?.next()
        wait(paper, total: 4, seconds: 0.5)
      }
    }
    #expect(text == "\rChecking products: 2 of 2\r" + String(repeating: " ", count: 25) + "\r")
  }

  /// The next line is drawn again after one that ended with an error.
  @Test func anErrorErasesTheLine() {
    struct Failure: Error {}
    let text = written { paper in
      #expect(throws: Failure.self) {
        let line = ProgressLine("Building kernels", total: 2)
        paper.pass(2)
        line?.next()
        throw Failure()
      }
      wait(paper, "Starting kernels", total: 2, seconds: 3)
    }
    #expect(
      text == "\rBuilding kernels: 1 of 2\r" + String(repeating: " ", count: 24) + "\r"
        + "\rStarting kernels: 2 of 2\r" + String(repeating: " ", count: 24) + "\r")
  }

  @Test func withoutATerminalThereIsNoLine() {
    #expect(ProgressLine("Building kernels", total: 1) == nil)
  }
}
