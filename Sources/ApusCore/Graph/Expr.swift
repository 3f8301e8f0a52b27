/// A scalar expression of a pointwise node's inputs.
///
/// Every activation, arithmetic operator, dropout mask and optimizer rule is an `Expr`. One definition serves four
/// purposes: it differentiates symbolically (`derivative(by:)`), fuses by substitution (`substituting(_:)`), prints
/// as OpenCL C, and runs on the CPU (both from `ExprProgram`).
///
/// ```swift
/// let x = Expr.input(0)
/// let swish = x * Expr.sigmoid(x)
/// print(swish)                      // x0 * sigmoid(x0)
/// ```
public indirect enum Expr: Hashable, Sendable {
  /// The element of the node's n-th input at this position (broadcast, converted to the computing type).
  case input(Int)
  case constant(Double)
  case unary(Unary, Expr)
  case binary(Binary, Expr, Expr)
  /// `lhs <comparison> rhs ? then : otherwise`
  case select(Comparison, Expr, Expr, then: Expr, otherwise: Expr)
  /// A uniform number in [0, 1): Philox keyed by the seed and step that input `state` (int32 [2]) holds and by
  /// `stream`, with the element's index as counter. The same position always gives the same number.
  case random(state: Int, stream: UInt32)

  public enum Unary: String, Hashable, Sendable, CaseIterable {
    case negate, reciprocal, absolute, exp, expm1, log, log1p, squareRoot, tanh, sigmoid, softplus, erf
  }

  public enum Binary: String, Hashable, Sendable, CaseIterable {
    case add, subtract, multiply, divide, maximum, minimum, power
  }

  public enum Comparison: String, Hashable, Sendable, CaseIterable {
    case greater, equal
  }
}

// MARK: - Building, with the simplifications that symbolic derivatives need

extension Expr: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Double) { self = .constant(value) }
  public init(integerLiteral value: Int) { self = .constant(Double(value)) }

  public static func + (a: Expr, b: Expr) -> Expr {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): .constant(x + y)
    case (.constant(0), _): b
    case (_, .constant(0)): a
    default: .binary(.add, a, b)
    }
  }

  public static func - (a: Expr, b: Expr) -> Expr {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): .constant(x - y)
    case (.constant(0), _): -b
    case (_, .constant(0)): a
    default: .binary(.subtract, a, b)
    }
  }

  public static func * (a: Expr, b: Expr) -> Expr {
    switch (a, b) {
    case (.constant(let x), .constant(let y)): .constant(x * y)
    case (.constant(0), _), (_, .constant(0)): 0
    case (.constant(1), _): b
    case (_, .constant(1)): a
    // A mask times a value is the value selected: select(p, 1, 0) * v == select(p, v, 0).
    case (.select(let comparison, let l, let r, .constant(1), .constant(0)), _):
      .select(comparison, l, r, then: b, otherwise: 0)
    case (_, .select(let comparison, let l, let r, .constant(1), .constant(0))):
      .select(comparison, l, r, then: a, otherwise: 0)
    default: .binary(.multiply, a, b)
    }
  }

  public static func / (a: Expr, b: Expr) -> Expr {
    switch (a, b) {
    case (.constant(let x), .constant(let y)) where y != 0: .constant(x / y)
    case (.constant(0), _): 0
    case (_, .constant(1)): a
    default: .binary(.divide, a, b)
    }
  }

  public static prefix func - (a: Expr) -> Expr {
    switch a {
    case .constant(let x): .constant(-x)
    case .unary(.negate, let inner): inner
    default: .unary(.negate, a)
    }
  }

  public static func exp(_ x: Expr) -> Expr { .unary(.exp, x) }
  /// `exp(x) - 1`, exact for small `x` too
  public static func expm1(_ x: Expr) -> Expr { .unary(.expm1, x) }
  public static func log(_ x: Expr) -> Expr { .unary(.log, x) }
  /// `log(1 + x)`, exact for small `x` too
  public static func log1p(_ x: Expr) -> Expr { .unary(.log1p, x) }
  public static func sqrt(_ x: Expr) -> Expr { .unary(.squareRoot, x) }
  public static func abs(_ x: Expr) -> Expr { .unary(.absolute, x) }
  public static func tanh(_ x: Expr) -> Expr { .unary(.tanh, x) }
  public static func erf(_ x: Expr) -> Expr { .unary(.erf, x) }
  public static func sigmoid(_ x: Expr) -> Expr { .unary(.sigmoid, x) }
  public static func softplus(_ x: Expr) -> Expr { .unary(.softplus, x) }
  public static func max(_ a: Expr, _ b: Expr) -> Expr { .binary(.maximum, a, b) }
  public static func min(_ a: Expr, _ b: Expr) -> Expr { .binary(.minimum, a, b) }
  public static func pow(_ a: Expr, _ b: Expr) -> Expr { b == 1 ? a : .binary(.power, a, b) }
  /// `a > b ? then : otherwise`
  public static func ifGreater(_ a: Expr, _ b: Expr, then: Expr, otherwise: Expr) -> Expr {
    then == otherwise ? then : .select(.greater, a, b, then: then, otherwise: otherwise)
  }
  /// `a == b ? then : otherwise`
  public static func ifEqual(_ a: Expr, _ b: Expr, then: Expr, otherwise: Expr) -> Expr {
    then == otherwise ? then : .select(.equal, a, b, then: then, otherwise: otherwise)
  }
}

// MARK: - Rewriting

extension Expr {
  private static func simplified(_ op: Binary, _ a: Expr, _ b: Expr) -> Expr {
    switch op {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: max(a, b)
    case .minimum: min(a, b)
    case .power: pow(a, b)
    }
  }

  /// The expression with every input `i` replaced by `replacements[i]` (and random states by the input they name).
  package func substituting(_ replacements: [Expr]) -> Expr {
    switch self {
    case .input(let i): replacements[i]
    case .constant: self
    case .unary(let op, let x): .unary(op, x.substituting(replacements))
    case .binary(let op, let a, let b): .simplified(op, a.substituting(replacements), b.substituting(replacements))
    case .select(let comparison, let l, let r, let t, let o):
      .select(
        comparison, l.substituting(replacements), r.substituting(replacements),
        then: t.substituting(replacements), otherwise: o.substituting(replacements))
    case .random(let state, let stream):
      if case .input(let i) = replacements[state] {
        .random(state: i, stream: stream)
      } else {
        preconditionFailure("Expr: a random state must stay an input, not \(replacements[state])")
      }
    }
  }

  /// The expression with every occurrence of `target` replaced.
  package func replacing(_ target: Expr, with replacement: Expr) -> Expr {
    if self == target { return replacement }
    switch self {
    case .input, .constant, .random: return self
    case .unary(let op, let x): return .unary(op, x.replacing(target, with: replacement))
    case .binary(let op, let a, let b):
      return .simplified(op, a.replacing(target, with: replacement), b.replacing(target, with: replacement))
    case .select(let comparison, let l, let r, let t, let o):
      return .select(
        comparison, l.replacing(target, with: replacement), r.replacing(target, with: replacement),
        then: t.replacing(target, with: replacement), otherwise: o.replacing(target, with: replacement))
    }
  }

  /// The inputs that occur, random states included.
  package var inputs: Set<Int> {
    switch self {
    case .input(let i): [i]
    case .constant: []
    case .unary(_, let x): x.inputs
    case .binary(_, let a, let b): a.inputs.union(b.inputs)
    case .select(_, let l, let r, let t, let o): l.inputs.union(r.inputs).union(t.inputs).union(o.inputs)
    case .random(let state, _): [state]
    }
  }

  /// Inputs that are read whole as a random state.
  package var randomStates: Set<Int> {
    switch self {
    case .input, .constant: []
    case .unary(_, let x): x.randomStates
    case .binary(_, let a, let b): a.randomStates.union(b.randomStates)
    case .select(_, let l, let r, let t, let o):
      l.randomStates.union(r.randomStates).union(t.randomStates).union(o.randomStates)
    case .random(let state, _): [state]
    }
  }

  /// Number of nodes of the tree: the bound on what fusion may build.
  package var size: Int {
    switch self {
    case .input, .constant, .random: 1
    case .unary(_, let x): 1 + x.size
    case .binary(_, let a, let b): 1 + a.size + b.size
    case .select(_, let l, let r, let t, let o): 1 + l.size + r.size + t.size + o.size
    }
  }
}

extension Expr: CustomStringConvertible {
  public var description: String {
    switch self {
    case .input(let i): return "x\(i)"
    case .constant(let value): return value == value.rounded() && Swift.abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    case .unary(.negate, let x): return "-\(x.grouped)"
    case .unary(let op, let x): return "\(op.rawValue)(\(x))"
    case .binary(let op, let a, let b):
      switch op {
      case .add: return "\(a.grouped) + \(b.grouped)"
      case .subtract: return "\(a.grouped) - \(b.grouped)"
      case .multiply: return "\(a.grouped) * \(b.grouped)"
      case .divide: return "\(a.grouped) / \(b.grouped)"
      case .maximum, .minimum, .power: return "\(op.rawValue)(\(a), \(b))"
      }
    case .select(let comparison, let l, let r, let t, let o):
      let sign =
        switch comparison {
        case .greater: ">"
        case .equal: "=="
        }
      return "(\(l) \(sign) \(r) ? \(t) : \(o))"
    case .random(let state, let stream): return "random(x\(state), stream \(stream))"
    }
  }

  private var grouped: String {
    if case .binary(let op, _, _) = self {
      switch op {
      case .add, .subtract, .multiply, .divide: return "(\(self))"
      case .maximum, .minimum, .power: return description
      }
    }
    return description
  }
}
