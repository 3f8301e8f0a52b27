extension Expr {
  /// The partial derivative by input `slot`.
  ///
  /// Where the field writes a derivative in terms of the function's own value (ReLU, sigmoid, tanh, exp, sqrt), so does
  /// this: the whole expression then occurs in its derivative, the gradient pass replaces it by the node's result, and
  /// the pre-activation need not be kept. At a kink the derivative of `max(a, b)` is that of `b`.
  public func derivative(by slot: Int) -> Expr {
    switch self {
    case .input(let i): i == slot ? 1 : 0
    case .constant, .random: 0
    case .unary(let op, let x): Self.derivative(of: op, at: x) * x.derivative(by: slot)
    case .binary(let op, let a, let b):
      Self.derivative(of: op, a, b, a.derivative(by: slot), b.derivative(by: slot))
    case .select(let comparison, let l, let r, let t, let o):
      Self.select(comparison, l, r, then: t.derivative(by: slot), otherwise: o.derivative(by: slot)).simplified
    }
  }

  private var simplified: Expr {
    if case .select(_, _, _, let t, let o) = self, t == o { return t }
    return self
  }

  private static func derivative(of op: Unary, at x: Expr) -> Expr {
    let f = Expr.unary(op, x)
    switch op {
    case .negate: return -1
    case .reciprocal: return -(f * f)
    case .absolute: return ifGreater(x, 0, then: 1, otherwise: ifGreater(0, x, then: -1, otherwise: 0))
    case .exp: return f
    case .expm1: return exp(x)
    case .log: return .unary(.reciprocal, x)
    case .log1p: return .unary(.reciprocal, 1 + x)
    case .squareRoot: return 0.5 / f
    case .tanh: return 1 - f * f
    case .sigmoid: return f * (1 - f)
    case .softplus: return sigmoid(x)
    case .erf: return .constant(1.128379167095512573896158903) * exp(-(x * x))  // 2/sqrt(pi)
    }
  }

  private static func derivative(of op: Binary, _ a: Expr, _ b: Expr, _ da: Expr, _ db: Expr) -> Expr {
    let f = Expr.binary(op, a, b)
    switch op {
    case .add: return da + db
    case .subtract: return da - db
    case .multiply: return da * b + a * db
    case .divide: return da / b - (db == 0 ? 0 : f * db / b)
    case .maximum: return ifGreater(f, b, then: da, otherwise: db)
    case .minimum: return ifGreater(b, f, then: da, otherwise: db)
    case .power:
      let byBase = da == 0 ? 0 : b * pow(a, b - 1) * da
      return byBase + (db == 0 ? 0 : f * log(a) * db)
    }
  }
}
