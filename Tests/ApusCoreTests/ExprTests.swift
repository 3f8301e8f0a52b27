import ApusCore
import Testing

@Suite struct ExprTests {
  private let x = Expr.input(0)
  private let y = Expr.input(1)

  @Test func simplifiesWhileBuilding() {
    #expect(x * 1 == x)
    #expect(x + 0 == x)
    #expect(x * 0 == 0)
    #expect((2 as Expr) * 3 == 6)
    #expect(-(-x) == x)
    // A 0/1 mask times a value selects the value.
    #expect("\(Expr.ifGreater(x, 0, then: 1, otherwise: 0) * y)" == "(x0 > 0 ? x1 : 0)")
  }

  @Test func prints() {
    #expect("\(x * Expr.sigmoid(x))" == "x0 * sigmoid(x0)")
    #expect("\((x + y) * x / 2)" == "((x0 + x1) * x0) / 2")
  }

  /// The whole expression occurs in these derivatives, so that the node's result can stand for it.
  @Test func derivativesReuseTheResult() {
    for activation in [Activation.relu, .sigmoid, .tanh] {
      let f = activation(x)
      #expect(f.derivative(by: 0).replacing(f, with: y).inputs == [1])
    }
  }

  @Test func computesSharedPartsOnce() {
    let shared = Expr.exp(x)
    let program = ExprProgram([shared * shared + shared])
    #expect(program.instructions.count == 4)
    #expect(program.results == [3])
  }

  @Test func substitutes() {
    let f = Expr.max(x, y)
    #expect("\(f.substituting([.input(2) + 1, .constant(0)]))" == "maximum(x2 + 1, 0)")
  }
}

@Suite struct PhiloxTests {
  /// The published known-answer vectors of the algorithm.
  @Test func knownAnswers() {
    #expect(
      Philox.words(counter: (0, 0, 0, 0), key: (0, 0)) == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = UInt32.max
    #expect(
      Philox.words(counter: (ones, ones, ones, ones), key: (ones, ones))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.words(counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func generatorIsUniform() {
    var generator = PhiloxGenerator(seed: 1)
    let values = (0..<10_000).map { _ in Double(generator.uniform()) }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.01)
  }
}
