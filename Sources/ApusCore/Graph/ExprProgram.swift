/// Expressions flattened to straight-line code in which every subexpression is computed once.
///
/// Both backends read this form: the OpenCL one prints a statement an instruction, the CPU one runs each instruction
/// over a tile of elements.
package struct ExprProgram: Hashable, Sendable {
  /// One instruction; operands are indices of earlier instructions.
  package enum Instruction: Hashable, Sendable {
    case input(Int)
    case constant(Double)
    case unary(Expr.Unary, Int)
    case binary(Expr.Binary, Int, Int)
    case select(Expr.Comparison, Int, Int, then: Int, otherwise: Int)
    case random(state: Int, stream: UInt32)
  }

  package private(set) var instructions: [Instruction] = []
  /// For each expression, the instruction that holds its value.
  package private(set) var results: [Int] = []

  package init(_ expressions: [Expr]) {
    var known: [Instruction: Int] = [:]
    for expression in expressions { results.append(add(expression, &known)) }
  }

  private mutating func add(_ expression: Expr, _ known: inout [Instruction: Int]) -> Int {
    let instruction: Instruction =
      switch expression {
      case .input(let i): .input(i)
      case .constant(let value): .constant(value)
      case .unary(let op, let x): .unary(op, add(x, &known))
      case .binary(let op, let a, let b): .binary(op, add(a, &known), add(b, &known))
      case .select(let comparison, let l, let r, let t, let o):
        .select(
          comparison, add(l, &known), add(r, &known), then: add(t, &known), otherwise: add(o, &known))
      case .random(let state, let stream): .random(state: state, stream: stream)
      }
    if let index = known[instruction] { return index }
    instructions.append(instruction)
    known[instruction] = instructions.count - 1
    return instructions.count - 1
  }
}
