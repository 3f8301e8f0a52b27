import ApusCore
internal import CThreads
internal import CVector

/// An expression program over float32, run a tile of elements at a time so that intermediate values stay in the first
/// cache.
///
/// Every value of the program is a register: an array of floats. Inputs and results that lie in memory as they are
/// needed are their own registers; the rest share a few tiles of scratch memory. What is the same for all elements is
/// computed once.
final class TileProgram {
  /// Elements that one pass over the instructions works on.
  private static let longestTile = 1024

  private let code: TileCode
  private let tile: Int
  private let scratch: Scratch
  /// For each part of a loop, where its registers are now.
  private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

  /// - Parameters:
  ///   - expressions: one for each of `targets`.
  ///   - operands: what the expressions' inputs are.
  ///   - targets: where results go; one may be the memory of an operand of the same shape. `nil`: nowhere, `run` shows
  ///     them tile by tile.
  ///   - rowLength: tiles are whole rows of so many elements, where they can be.
  init(
    _ expressions: [Expr], operands: [TileOperand], targets: [UnsafeMutablePointer<Float>]?, rowLength: Int = 1,
    scratch: Scratch, memoryLimit: Int
  ) throws(BackendError) {
    code = TileCode(ExprProgram(expressions), operands: operands, targets: targets)
    tile = Self.tileLength(operands, rowLength)
    self.scratch = scratch
    let threads = Int(apus_thread_count())
    pointers = .allocate(capacity: threads * code.registers.count)
    pointers.initialize(repeating: nil, count: threads * code.registers.count)
    try scratch.reserve(threads * code.slotCount * tile * MemoryLayout<Float>.stride, limit: memoryLimit)
  }

  deinit { pointers.deallocate() }

  /// A whole number of periods where an operand repeats, so that it is laid out once and serves every tile.
  private static func tileLength(_ operands: [TileOperand], _ rowLength: Int) -> Int {
    for case .periodic(_, _, let period) in operands where period <= longestTile {
      return longestTile / period * period
    }
    return rowLength > 0 && rowLength <= longestTile ? longestTile / rowLength * rowLength : longestTile
  }

  /// A closure that runs the program over `count` elements on all threads.
  func loop(over count: Int) -> () -> Void {
    parallelLoop(over: count, grain: tile, minimum: 8192) { range, part in self.run(range, part: part) }
  }

  /// Runs the program over elements `range`, as part `part` of a loop.
  ///
  /// - Parameters:
  ///   - sampled: elements of every block that are worked on, and those of a block: whole rows. All, if not given.
  ///   - visit: called after each tile with its first element, their number, and the values of each result.
  func run(
    _ range: Range<Int>, first sampled: Int = .max, ofEvery block: Int = .max, part: Int,
    visit: (_ first: Int, _ count: Int, _ values: (Int) -> UnsafeMutablePointer<Float>) -> Void = { _, _, _ in }
  ) {
    let table = pointers + part * code.registers.count
    prepare(table, scratch.floats(part: part, stride: code.slotCount * tile), range)
    var (first, start) = (range.lowerBound, range.lowerBound)
    while first < range.upperBound {
      let count = min(tile, range.upperBound - first, sampled - (first - start))
      for (index, register) in code.registers.enumerated() {
        switch register {
        case .memory(let base): table[index] = base + first
        case .loaded(let operand, _):
          if !operand.isSame(inTilesOf: tile) { operand.load(first, count, into: table[index]!) }
        case .slot, .uniform, .state: break
        }
      }
      apus_run_tile(code.instructions, Int32(code.instructions.count), table, Int32(count), UInt64(first))
      visit(first, count) { table[code.results[$0]]! }
      first += count
      if first - start == sampled {
        start += block
        first = start
      }
    }
  }

  /// Places the registers and fills those that are the same for all tiles.
  private func prepare(
    _ table: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>, _ slots: UnsafeMutablePointer<Float>,
    _ range: Range<Int>
  ) {
    let longest = min(tile, range.count)
    for (index, register) in code.registers.enumerated() {
      switch register {
      case .slot(let slot): table[index] = slots + slot * tile
      case .memory: break
      case .state(let base): table[index] = base
      case .uniform(let source, let slot):
        let target = slots + slot * tile
        table[index] = target
        switch source {
        case .constant(let value): target[0] = value
        case .operand(let operand): operand.load(0, 1, into: target)
        case .computed: break
        }
      case .loaded(let operand, let slot):
        let target = slots + slot * tile
        table[index] = target
        if operand.isSame(inTilesOf: tile) { operand.load(range.lowerBound, longest, into: target) }
      }
    }
    apus_run_tile(code.uniformInstructions, Int32(code.uniformInstructions.count), table, 1, 0)
    for index in code.spreadRegisters {
      let target = table[index]!
      target.update(repeating: target[0], count: longest)
    }
  }
}
