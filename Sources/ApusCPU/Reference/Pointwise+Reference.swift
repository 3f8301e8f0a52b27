import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Invocation<CPUBuffer> {
  /// `targets[j][i] = expressions[j](x0[i], x1[i], ...)`, all inputs of an index read before a target is written.
  func referencePointwise(_ expressions: [Expr], into targets: [Operand<CPUBuffer>]) -> () -> Void {
    let shape = output.shape
    let states = expressions.reduce(into: Set<Int>()) { $0.formUnion($1.randomStates) }
    let operands = inputs.enumerated().map { position, input in
      let view = states.contains(position) ? View(input.shape) : View(input.shape).broadcast(to: shape)
      return (elements: Elements(input), view: view)
    }
    let evaluator = Evaluator(expressions, dtype: output.type.dtype)
    let results = targets.map(Elements.init)
    return {
      for index in 0..<shape.elementCount {
        let values = evaluator.values(
          load: { operands[$0].elements[operands[$0].view.element(index)] },
          random: { state, stream in
            let key = operands[state].elements
            return Double(
              Philox.uniform(
                seed: UInt32(bitPattern: Int32(key[0])), step: UInt32(bitPattern: Int32(key[1])), stream: stream,
                index: UInt64(index)))
          })
        for (result, value) in zip(results, values) { result[index] = value }
      }
    }
  }

  /// The epilogue applied to every element of the result, in place.
  func referenceEpilogue(_ epilogue: Expr) -> () -> Void {
    let channels = output.shape.last ?? 1
    let operands = epilogueInputs.map {
      (elements: Elements($0), kind: EpilogueOperandKind($0.type, of: output.type))
    }
    let evaluator = Evaluator([epilogue], dtype: output.type.dtype)
    let result = Elements(output)
    let count = output.count
    return {
      for index in 0..<count {
        let values = evaluator.values(
          load: { slot in
            guard slot > 0 else { return result[index] }
            let operand = operands[slot - 1]
            switch operand.kind {
            case .scalar: return operand.elements[0]
            case .channel: return operand.elements[index % channels]
            case .full: return operand.elements[index]
            }
          }, random: { _, _ in preconditionFailure("an epilogue has no random numbers") })
        result[index] = values[0]
      }
    }
  }
}

/// Runs expressions on one element at a time.
struct Evaluator {
  private let program: ExprProgram
  private let dtype: DType

  init(_ expressions: [Expr], dtype: DType) {
    program = ExprProgram(expressions)
    self.dtype = dtype
  }

  func values(load: (Int) -> Double, random: (Int, UInt32) -> Double) -> [Double] {
    var registers: [Double] = []
    registers.reserveCapacity(program.instructions.count)
    for instruction in program.instructions {
      let value: Double =
        switch instruction {
        case .input(let slot): load(slot)
        // Devices hold constants in the computing type; comparisons must see the same ones.
        case .constant(let value): dtype == .float32 ? Double(Float(value)) : value
        case .unary(let op, let x): apply(op, registers[x])
        case .binary(let op, let a, let b): apply(op, registers[a], registers[b])
        case .select(let comparison, let l, let r, let then, let otherwise):
          holds(comparison, registers[l], registers[r]) ? registers[then] : registers[otherwise]
        case .random(let state, let stream): random(state, stream)
        }
      registers.append(value)
    }
    return program.results.map { registers[$0] }
  }

  private func apply(_ op: Expr.Unary, _ x: Double) -> Double {
    switch op {
    case .negate: -x
    case .reciprocal: 1 / x
    case .absolute: abs(x)
    case .exp: exp(x)
    case .expm1: expm1(x)
    case .log: log(x)
    case .log1p: log1p(x)
    case .squareRoot: x.squareRoot()
    case .tanh: tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .softplus: max(x, 0) + log1p(exp(-abs(x)))
    case .erf: erf(x)
    }
  }

  private func apply(_ op: Expr.Binary, _ a: Double, _ b: Double) -> Double {
    switch op {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    // A NaN in the first operand, the one with the data, is kept.
    case .maximum: b > a ? b : a
    case .minimum: b < a ? b : a
    case .power: pow(a, b)
    }
  }

  private func holds(_ comparison: Expr.Comparison, _ l: Double, _ r: Double) -> Bool {
    switch comparison {
    case .greater: l > r
    case .equal: l == r
    }
  }
}

func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }
