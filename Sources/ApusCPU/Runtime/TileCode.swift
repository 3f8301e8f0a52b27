import ApusCore
internal import CVector

/// An expression program as tile instructions over registers, with few scratch tiles.
struct TileCode {
  /// Where a register's elements come from.
  enum Register {
    /// Computed in every tile, in the n-th tile of scratch memory.
    case slot(Int)
    /// One value for all elements.
    case uniform(Uniform, slot: Int)
    /// Memory that has the result's shape.
    case memory(UnsafeMutablePointer<Float>)
    /// Seed and step of a random number, read whole.
    case state(UnsafeMutablePointer<Float>)
    /// An operand that is converted or repeated into scratch memory first.
    case loaded(TileOperand, slot: Int)
  }

  enum Uniform {
    case constant(Float)
    case operand(TileOperand)
    case computed
  }

  private(set) var registers: [Register] = []
  /// Run once, over one element.
  private(set) var uniformInstructions: [apus_instruction] = []
  /// Uniform registers that instructions of tiles read: their value is repeated before the first tile.
  private(set) var spreadRegisters: [Int] = []
  /// Run for every tile.
  private(set) var instructions: [apus_instruction] = []
  /// Tiles of scratch memory in use.
  private(set) var slotCount = 0

  private let program: ExprProgram
  private let operands: [TileOperand]
  private let targets: [UnsafeMutablePointer<Float>]?
  /// For each result, the register that holds it after a tile.
  private(set) var results: [Int] = []
  /// For each program instruction: its register, the last step that reads it, and whether all elements have one value.
  private var registerOf: [Int]
  private var lastUse: [Int]
  private var isUniform: [Bool]
  private var freeSlots: [Int] = []

  /// - Parameter targets: where results go; `nil`: they stay in their registers.
  init(_ program: ExprProgram, operands: [TileOperand], targets: [UnsafeMutablePointer<Float>]?) {
    self.program = program
    self.operands = operands
    self.targets = targets
    registerOf = Array(repeating: -1, count: program.instructions.count)
    lastUse = registerOf
    isUniform = Array(repeating: false, count: program.instructions.count)
    analyse()
    let written = addInstructions()
    if let targets { addCopies(to: targets, except: written) } else { keepResults() }
  }

  /// Steps are the program's instructions, then the results.
  private mutating func analyse() {
    for (step, instruction) in program.instructions.enumerated() {
      for operand in instruction.operands { lastUse[operand] = step }
      switch instruction {
      case .constant: isUniform[step] = true
      case .input(let slot): if case .scalar = operands[slot] { isUniform[step] = true }
      case .random: break
      case .unary, .binary, .select: isUniform[step] = instruction.operands.allSatisfy { isUniform[$0] }
      }
    }
    for (index, result) in program.results.enumerated() { lastUse[result] = program.instructions.count + index }
  }

  /// Returns the results that are computed in their place.
  private mutating func addInstructions() -> Set<Int> {
    var written: Set<Int> = []
    for (step, instruction) in program.instructions.enumerated() {
      switch instruction {
      case .constant(let value): registerOf[step] = add(.uniform(.constant(Float(value)), slot: newSlot()))
      case .input(let slot): registerOf[step] = addInput(operands[slot])
      case .unary, .binary, .select, .random:
        if isUniform[step] {
          registerOf[step] = add(.uniform(.computed, slot: newSlot()))
          uniformInstructions.append(code(instruction, into: registerOf[step]))
          continue
        }
        let result = targets.flatMap { targets in
          program.results.firstIndex(of: step).flatMap { isFree(targets[$0], after: step) ? $0 : nil }
        }
        releaseOperands(of: instruction, after: step)
        if let result, let targets {
          registerOf[step] = add(.memory(targets[result]))
          written.insert(result)
        } else {
          registerOf[step] = add(.slot(takeSlot()))
        }
        for operand in instruction.operands { spread(registerOf[operand]) }
        instructions.append(code(instruction, into: registerOf[step]))
      }
    }
    return written
  }

  /// Copies the other results out. One whose place is read by a later copy waits in scratch memory.
  private mutating func addCopies(to targets: [UnsafeMutablePointer<Float>], except written: Set<Int>) {
    var waiting: [(register: Int, result: Int)] = []
    for (index, result) in program.results.enumerated() where !written.contains(index) {
      spread(registerOf[result])
      let isReady = isFree(targets[index], after: program.instructions.count + index)
      let target = add(isReady ? .memory(targets[index]) : .slot(takeSlot()))
      instructions.append(code(APUS_COPY, target, registerOf[result]))
      if !isReady { waiting.append((target, index)) }
    }
    for copy in waiting {
      let target = add(.memory(targets[copy.result]))
      instructions.append(code(APUS_COPY, target, copy.register))
    }
  }

  private mutating func keepResults() {
    results = program.results.map { registerOf[$0] }
    for register in results { spread(register) }
  }

  private mutating func addInput(_ operand: TileOperand) -> Int {
    switch operand {
    case .whole(let base): add(.memory(base))
    case .state(let base): add(.state(base))
    case .scalar: add(.uniform(.operand(operand), slot: newSlot()))
    case .periodic, .converted, .strided: add(.loaded(operand, slot: newSlot()))
    }
  }

  private mutating func add(_ register: Register) -> Int {
    registers.append(register)
    return registers.count - 1
  }

  private mutating func spread(_ register: Int) {
    if case .uniform = registers[register], !spreadRegisters.contains(register) { spreadRegisters.append(register) }
  }

  /// Whether no operand in memory at `target` is read after `step`.
  private func isFree(_ target: UnsafeMutablePointer<Float>, after step: Int) -> Bool {
    program.instructions.enumerated().allSatisfy { index, instruction in
      guard case .input(let slot) = instruction else { return true }
      return operands[slot].base != UnsafeMutableRawPointer(target) || lastUse[index] <= step
    }
  }

  // MARK: Scratch tiles

  /// A tile of its own, for what is filled before the instructions run.
  private mutating func newSlot() -> Int {
    slotCount += 1
    return slotCount - 1
  }

  /// A tile for a computed value: one that is no longer read, where there is one.
  private mutating func takeSlot() -> Int { freeSlots.popLast() ?? newSlot() }

  private mutating func releaseOperands(of instruction: ExprProgram.Instruction, after step: Int) {
    for operand in Set(instruction.operands) where lastUse[operand] == step {
      if case .slot(let slot) = registers[registerOf[operand]] { freeSlots.append(slot) }
    }
  }

  // MARK: Instructions

  private mutating func code(_ instruction: ExprProgram.Instruction, into target: Int) -> apus_instruction {
    switch instruction {
    case .input, .constant: preconditionFailure("leaves are registers, not instructions")
    case .unary(let op, let x): return code(op.operation, target, registerOf[x])
    case .binary(let op, let a, let b): return code(op.operation, target, registerOf[a], registerOf[b])
    case .select(let comparison, let l, let r, let then, let otherwise):
      return code(
        comparison.operation, target, registerOf[l], registerOf[r], registerOf[then], registerOf[otherwise])
    case .random(let state, let stream):
      let key = add(.state(operands[state].base.assumingMemoryBound(to: Float.self)))
      return code(APUS_RANDOM, target, key, stream: stream)
    }
  }

  private func code(
    _ operation: apus_operation, _ target: Int, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, stream: UInt32 = 0
  ) -> apus_instruction {
    apus_instruction(
      operation: operation, target: Int32(target), a: Int32(a), b: Int32(b), c: Int32(c), d: Int32(d), stream: stream)
  }
}

extension ExprProgram.Instruction {
  fileprivate var operands: [Int] {
    switch self {
    case .input, .constant, .random: []
    case .unary(_, let x): [x]
    case .binary(_, let a, let b): [a, b]
    case .select(_, let l, let r, let then, let otherwise): [l, r, then, otherwise]
    }
  }
}

extension Expr.Unary {
  fileprivate var operation: apus_operation {
    switch self {
    case .negate: APUS_NEGATE
    case .reciprocal: APUS_RECIPROCAL
    case .absolute: APUS_ABSOLUTE
    case .exp: APUS_EXP
    case .expm1: APUS_EXPM1
    case .log: APUS_LOG
    case .log1p: APUS_LOG1P
    case .squareRoot: APUS_SQUARE_ROOT
    case .tanh: APUS_TANH
    case .sigmoid: APUS_SIGMOID
    case .softplus: APUS_SOFTPLUS
    case .erf: APUS_ERF
    }
  }
}

extension Expr.Binary {
  fileprivate var operation: apus_operation {
    switch self {
    case .add: APUS_ADD
    case .subtract: APUS_SUBTRACT
    case .multiply: APUS_MULTIPLY
    case .divide: APUS_DIVIDE
    case .maximum: APUS_MAXIMUM
    case .minimum: APUS_MINIMUM
    case .power: APUS_POWER
    }
  }
}

extension Expr.Comparison {
  fileprivate var operation: apus_operation {
    switch self {
    case .greater: APUS_SELECT_GREATER
    case .equal: APUS_SELECT_EQUAL
    }
  }
}
