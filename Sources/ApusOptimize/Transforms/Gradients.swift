public import ApusCore

/// The gradients of all trained parameters while a step is traced: what transforms change.
///
/// They lie side by side in one vector. Until something needs them as a tensor they are an expression, which becomes
/// part of the optimizer's launch.
public struct Gradients {
  /// The gradient of one weight.
  public var element: Expr
  /// For each vector that the transform at hand keeps: its number for this weight.
  public internal(set) var states: [Expr] = []
  /// The numbers that the transform at hand appended for this step.
  public internal(set) var values: [Expr] = []

  let graph: Graph
  private let arena: ParameterArena
  /// What the update reads beside the vectors that it changes.
  private(set) var readings: [Tensor] = []
  /// New numbers for the vectors of transforms, by the vector's index: of the weight after the update.
  private var nextStates: [Int: (Expr) -> Expr] = [:]
  /// Those that change at each step, also where the weights stay.
  private var everyStep: Set<Int> = []
  /// Above 0 in steps that change the weights; `nil`: all do.
  private var condition: Expr?
  /// Of the transform at hand: the index of its first vector.
  private var firstState = 0

  /// - Parameters:
  ///   - packed: the sums of the samples' gradients.
  ///   - scale: of them.
  init(_ arena: ParameterArena, packed: Tensor, scale: Double) {
    graph = packed.graph
    self.arena = arena
    readings = [packed]
    element = .constant(scale) * .input(arena.vectors.count)
  }

  /// The next transform's turn.
  mutating func begin(states vectors: Range<Int>, values tensors: [Tensor]) {
    firstState = vectors.lowerBound
    states = vectors.map { .input($0) }
    values = tensors.map { read($0) }
  }

  /// New numbers for all vectors, of those that the optimizer's rule gives for the first.
  func next(_ rule: [Expr]) -> [Expr] {
    arena.vectors.indices.map { index in
      let new = index < rule.count ? rule[index] : nextStates[index]?(rule[0]) ?? .input(index)
      guard let condition, !everyStep.contains(index) else { return new }
      return .ifGreater(condition, 0, then: new, otherwise: .input(index))
    }
  }

  /// The weight before the update.
  public var weight: Expr { .input(0) }

  /// A number, or a vector of as many numbers as the gradients, for use in `element`.
  public mutating func read(_ tensor: Tensor) -> Expr {
    readings.append(tensor)
    return .input(arena.vectors.count + readings.count - 1)
  }

  /// The state `index` of the transform at hand becomes `next` of the weight after the update, where the update happens.
  public mutating func setState(_ index: Int, _ next: @escaping (_ newWeight: Expr) -> Expr) {
    nextStates[firstState + index] = next
  }

  /// The state `index` of the transform at hand becomes `next` at each step, also in those without an update.
  public mutating func setStateAlways(_ index: Int, _ next: Expr) {
    nextStates[firstState + index] = { _ in next }
    everyStep.insert(firstState + index)
  }

  /// The weights change only in steps for which `condition` is above 0.
  public mutating func updateOnly(where condition: Expr) {
    self.condition = self.condition.map { $0 * condition } ?? condition
  }

  /// All gradients in one vector; between those of two parameters there may be zeros.
  public func vector() -> Tensor {
    let inputs = arena.vectors.map { graph.parameter($0) } + readings
    let used = inputs.indices.filter { element.inputs.contains($0) }
    var slots = [Expr](repeating: 0, count: inputs.count)
    for (slot, index) in used.enumerated() { slots[index] = .input(slot) }
    let result = pointwise(element.substituting(slots), used.map { inputs[$0] })
    return result.shape == [arena.count] ? result : broadcast(result, to: [arena.count])
  }

  /// Changes the gradient of each parameter as a tensor of the parameter's size.
  public mutating func mapEach(_ body: (_ gradient: Tensor) -> Tensor) {
    let all = vector()
    let pieces = arena.places.map { body(slice(all, starts: [$0.offset], sizes: [$0.range.count])) }
    element = read(arena.pack(pieces, in: graph))
  }
}
