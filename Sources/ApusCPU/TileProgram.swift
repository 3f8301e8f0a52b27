import ApusCore
internal import CThreads

/// An expression program over float32, run a tile of elements at a time so that intermediate values stay in the first
/// cache.
///
/// Every value of the program is a register: an array of floats. Inputs and results that lie in memory as they are
/// needed are their own registers; the rest share a few tiles of scratch memory.
final class TileProgram {
  /// Elements that one pass over the instructions works on.
  private static let longestTile = 1024

  private let instructions: [apus_instruction]
  private let registers: [Register]
  private let tile: Int
  private let slotCount: Int
  private let scratch: Scratch
  /// For each part of a loop, where its registers are now.
  private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

  /// - Parameters:
  ///   - expressions: one for each of `targets`.
  ///   - operands: what the expressions' inputs are.
  ///   - targets: where results go; one may be the memory of an operand of the same shape.
  init(
    _ expressions: [Expr], operands: [TileOperand], targets: [UnsafeMutablePointer<Float>], scratch: Scratch,
    memoryLimit: Int
  ) throws(BackendError) {
    var builder = TileProgramBuilder(ExprProgram(expressions), operands: operands, targets: targets)
    builder.build()
    instructions = builder.instructions
    registers = builder.registers
    slotCount = builder.slotCount
    tile = Self.tileLength(operands)
    self.scratch = scratch
    let threads = Int(apus_thread_count())
    pointers = .allocate(capacity: threads * registers.count)
    pointers.initialize(repeating: nil, count: threads * registers.count)
    let (elements, overflow) = (threads * slotCount).multipliedReportingOverflow(by: tile)
    precondition(!overflow)
    try scratch.reserve(elements * MemoryLayout<Float>.stride, limit: memoryLimit)
  }

  deinit { pointers.deallocate() }

  /// A whole number of periods where an operand repeats, so that it is laid out once and serves every tile.
  private static func tileLength(_ operands: [TileOperand]) -> Int {
    for case .periodic(_, _, let period) in operands where period <= longestTile {
      return longestTile / period * period
    }
    return longestTile
  }

  /// A closure that runs the program over `count` elements on all threads.
  func loop(over count: Int) -> () -> Void {
    parallelLoop(over: count, grain: tile, minimum: 8192) { range, part in self.run(range, part: part) }
  }

  /// Runs the program over elements `range`, as part `part` of a loop.
  func run(_ range: Range<Int>, part: Int) {
    let table = pointers + part * registers.count
    let slots = scratch.floats(part: part, stride: slotCount * tile)
    let longest = min(tile, range.count)
    for (index, register) in registers.enumerated() {
      switch register {
      case .slot(let slot): table[index] = slots + slot * tile
      case .constant(let value, let slot):
        table[index] = slots + slot * tile
        table[index]!.update(repeating: value, count: longest)
      case .memory: break
      case .state(let base): table[index] = base
      case .loaded(let operand, let slot):
        table[index] = slots + slot * tile
        if operand.isSame(inTilesOf: tile) { operand.load(range.lowerBound, longest, into: table[index]!) }
      }
    }
    var first = range.lowerBound
    while first < range.upperBound {
      let count = min(tile, range.upperBound - first)
      for (index, register) in registers.enumerated() {
        switch register {
        case .memory(let base): table[index] = base + first
        case .loaded(let operand, _):
          if !operand.isSame(inTilesOf: tile) { operand.load(first, count, into: table[index]!) }
        case .slot, .constant, .state: break
        }
      }
      apus_run_tile(instructions, Int32(instructions.count), table, Int32(count), UInt64(first))
      first += count
    }
  }
}

/// Where a register's elements come from.
enum Register {
  /// The n-th tile of scratch memory.
  case slot(Int)
  case constant(Float, slot: Int)
  /// Memory that has the result's shape.
  case memory(UnsafeMutablePointer<Float>)
  /// Seed and step of a random number, read whole.
  case state(UnsafeMutablePointer<Float>)
  /// An operand that is converted or repeated into scratch memory first.
  case loaded(TileOperand, slot: Int)
}

/// Turns an expression program into tile instructions, with few scratch tiles.
private struct TileProgramBuilder {
  let program: ExprProgram
  let operands: [TileOperand]
  let targets: [UnsafeMutablePointer<Float>]

  private(set) var instructions: [apus_instruction] = []
  private(set) var registers: [Register] = []
  private(set) var slotCount = 0
  private var freeSlots: [Int] = []
  /// For each program instruction, its register and the last step that reads it.
  private var registerOf: [Int?]
  private var lastUse: [Int]

  init(_ program: ExprProgram, operands: [TileOperand], targets: [UnsafeMutablePointer<Float>]) {
    self.program = program
    self.operands = operands
    self.targets = targets
    registerOf = Array(repeating: nil, count: program.instructions.count)
    lastUse = Array(repeating: -1, count: program.instructions.count)
  }

  /// Results are copied out in steps after the program's own; step numbers are program instructions, then results.
  mutating func build() {
    for (step, instruction) in program.instructions.enumerated() {
      for operand in instruction.operands { lastUse[operand] = step }
    }
    let end = program.instructions.count
    for (index, result) in program.results.enumerated() { lastUse[result] = end + index }

    var lateCopies: [(from: Int, to: Int)] = []
    var written: Set<Int> = []
    for (step, instruction) in program.instructions.enumerated() {
      switch instruction {
      case .input(let slot): registerOf[step] = addInput(slot)
      case .constant(let value): registerOf[step] = add(.constant(Float(value), slot: takeSlot()))
      case .unary, .binary, .select, .random:
        // The value may be computed in its place where nothing that lies there is read later.
        let result = program.results.firstIndex(of: step).flatMap { isFree(targets[$0], after: step) ? $0 : nil }
        releaseOperands(of: instruction, after: step)
        let register = result.map { add(.memory(targets[$0])) } ?? add(.slot(takeSlot()))
        registerOf[step] = register
        emit(instruction, into: register)
        if let result { written.insert(result) }
      }
    }
    for (index, result) in program.results.enumerated() where !written.contains(index) {
      if isFree(targets[index], after: end + index) {
        emitCopy(from: registerOf[result]!, to: add(.memory(targets[index])))
      } else {
        let kept = add(.slot(takeSlot()))
        emitCopy(from: registerOf[result]!, to: kept)
        lateCopies.append((kept, index))
      }
    }
    for copy in lateCopies { emitCopy(from: copy.from, to: add(.memory(targets[copy.to]))) }
  }

  private mutating func addInput(_ slot: Int) -> Int {
    switch operands[slot] {
    case .whole(let base): add(.memory(base))
    case .state(let base): add(.state(base))
    case .scalar, .periodic, .converted, .strided: add(.loaded(operands[slot], slot: takeSlot()))
    }
  }

  /// Whether no operand in memory at `target` is read after `step`.
  private func isFree(_ target: UnsafeMutablePointer<Float>, after step: Int) -> Bool {
    program.instructions.enumerated().allSatisfy { index, instruction in
      guard case .input(let slot) = instruction, operands[slot].base == UnsafeMutableRawPointer(target) else {
        return true
      }
      return lastUse[index] <= step
    }
  }

  /// Gives back the scratch tiles of computed values that `step` reads for the last time.
  private mutating func releaseOperands(of instruction: ExprProgram.Instruction, after step: Int) {
    for operand in Set(instruction.operands) where lastUse[operand] == step {
      if case .slot(let slot) = registers[registerOf[operand]!] { freeSlots.append(slot) }
    }
  }

  private mutating func takeSlot() -> Int {
    if let slot = freeSlots.popLast() { return slot }
    slotCount += 1
    return slotCount - 1
  }

  private mutating func add(_ register: Register) -> Int {
    registers.append(register)
    return registers.count - 1
  }

  private mutating func emitCopy(from source: Int, to target: Int) {
    append(APUS_COPY, target, source)
  }

  private mutating func emit(_ instruction: ExprProgram.Instruction, into target: Int) {
    switch instruction {
    case .input, .constant: preconditionFailure("leaves are registers, not instructions")
    case .unary(let op, let x): append(op.operation, target, registerOf[x]!)
    case .binary(let op, let a, let b): append(op.operation, target, registerOf[a]!, registerOf[b]!)
    case .select(let comparison, let l, let r, let then, let otherwise):
      append(
        comparison.operation, target, registerOf[l]!, registerOf[r]!, registerOf[then]!, registerOf[otherwise]!)
    case .random(let state, let stream):
      append(APUS_RANDOM, target, add(.state(operands[state].base.assumingMemoryBound(to: Float.self))), stream: stream)
    }
  }

  private mutating func append(
    _ operation: apus_operation, _ target: Int, _ a: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, stream: UInt32 = 0
  ) {
    instructions.append(
      apus_instruction(
        operation: operation, target: Int32(target), a: Int32(a), b: Int32(b), c: Int32(c), d: Int32(d),
        stream: stream))
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
    case .log: APUS_LOG
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
    case .greaterOrEqual: APUS_SELECT_GREATER_OR_EQUAL
    case .equal: APUS_SELECT_EQUAL
    }
  }
}
