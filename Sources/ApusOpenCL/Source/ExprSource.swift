import ApusCore

/// Expressions as OpenCL C: a `const` for each instruction of their program, constants in place.
///
/// The statements are valid for `float` and for its vectors, whatever `type` then stands for.
struct ExprSource {
  let statements: String
  /// For each expression, the source of its value after the statements.
  let results: [String]

  /// - Parameters:
  ///   - type: name of the type of every value.
  ///   - input: source of the value of an input.
  ///   - random: source of the uniform numbers of a state and a stream.
  ///   - constant: source of a constant that is no exponent.
  init(
    _ expressions: [Expr], type: String, input: (Int) -> String, random: (_ state: Int, _ stream: UInt32) -> String,
    constant: (Double) -> String = \.floatLiteral
  ) {
    let program = ExprProgram(expressions)
    let exponents = Set(program.instructions.compactMap { if case .binary(.power, _, let id) = $0 { id } else { nil } })
    let names = program.instructions.enumerated().map { id, instruction in
      guard case .constant(let value) = instruction else { return "t\(id)" }
      return "(\(type))(\(exponents.contains(id) ? value.floatLiteral : constant(value)))"
    }
    var statements = ""
    for (id, instruction) in program.instructions.enumerated() {
      let value: String
      switch instruction {
      case .constant: continue
      case .input(let slot): value = input(slot)
      case .unary(let op, let x): value = op.source(names[x])
      case .binary(let op, let a, let b):
        value = Self.power(op, names[a], program.instructions[b]) ?? op.source(names[a], names[b])
      case .select(let comparison, let l, let r, let then, let otherwise):
        // A comparison is 1 for scalars and all ones for vectors; `select` takes either.
        value = "select(\(names[otherwise]), \(names[then]), \(names[l]) \(comparison.source) \(names[r]))"
      case .random(let state, let stream): value = random(state, stream)
      }
      statements += "const \(type) t\(id) = \(value);\n"
    }
    self.statements = statements
    results = program.results.map { names[$0] }
  }

  /// A power that does without the library's function, whose code is long.
  private static func power(_ op: Expr.Binary, _ x: String, _ exponent: ExprProgram.Instruction) -> String? {
    guard op == .power, case .constant(let exponent) = exponent else { return nil }
    return switch exponent {
    case 2: "\(x) * \(x)"
    case 0.5: "sqrt(\(x))"
    case -0.5: "1.0f / sqrt(\(x))"
    case -1.5: "1.0f / (\(x) * sqrt(\(x)))"
    default: nil
    }
  }
}

extension Expr.Unary {
  fileprivate func source(_ x: String) -> String {
    switch self {
    case .negate: "-\(x)"
    case .reciprocal: "1.0f / \(x)"
    case .absolute: "fabs(\(x))"
    case .exp: "exp(\(x))"
    case .expm1: "expm1(\(x))"
    case .log: "log(\(x))"
    case .log1p: "log1p(\(x))"
    case .squareRoot: "sqrt(\(x))"
    // tanh(a) = -t / (2 + t), t = exp(-2a) - 1; the library's may stop short of 1, and then its derivative of 0.
    case .tanh: "copysign(1.0f / (1.0f + 2.0f / expm1(-2.0f * fabs(\(x)))), \(x))"
    case .sigmoid: "1.0f / (1.0f + exp(-\(x)))"
    // log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) neither overflows nor loses small results.
    case .softplus: "fmax(\(x), 0.0f) + log1p(exp(-fabs(\(x))))"
    case .erf: "erf(\(x))"
    }
  }
}

extension Expr.Binary {
  fileprivate func source(_ a: String, _ b: String) -> String {
    switch self {
    case .add: "\(a) + \(b)"
    case .subtract: "\(a) - \(b)"
    case .multiply: "\(a) * \(b)"
    case .divide: "\(a) / \(b)"
    // A NaN in the first operand, the one with the data, is kept; fmax would drop it.
    case .maximum: "select(\(a), \(b), \(b) > \(a))"
    case .minimum: "select(\(a), \(b), \(b) < \(a))"
    case .power: "pow(\(a), \(b))"
    }
  }
}

extension Expr.Comparison {
  fileprivate var source: String {
    switch self {
    case .greater: ">"
    case .equal: "=="
    }
  }
}

extension Double {
  /// The nearest float as OpenCL C writes it.
  var floatLiteral: String {
    let value = Float(self)
    if value.isNaN { return "NAN" }
    if value.isInfinite { return value < 0 ? "-INFINITY" : "INFINITY" }
    return "\(value)f"
  }
}
