/// What there is to know of an operation, told once, in the operation's file: passes ask for facts, never for names.
package protocol Operation: Sendable {
  /// Name in listings and profiles.
  var name: String { get }
  /// Attributes as the listing shows them; empty for none.
  var attributes: String { get }
  /// Number of operands where it is fixed; inputs beyond it belong to the node's epilogue. `nil`: any number, and no
  /// epilogue.
  var arity: Int? { get }
  /// Where the result lies.
  var storage: StorageRule { get }
  /// Of a `piece`: the first element of the operand that the result shows; `nil` where these are not side by side.
  func offset(in operand: TensorType, of result: TensorType) -> Int?
  /// The first element of each operand in the result, where the result is no more than the operands in memory one after
  /// another; else `nil`.
  func offsets(of operands: [TensorType], in result: TensorType) -> [Int]?
  /// Floating-point operations of a contraction, a multiply-add counted as two; 0 for everything else, which adds a few
  /// percent to a network and is not counted, as is usual in the field.
  ///
  /// - Parameters:
  ///   - inputs: shapes of the operands.
  ///   - result: shape of the result, before a fused pooling.
  func contractionOperations(inputs: [[Int]], result: [Int]) -> Double
  /// What some rows of the operands make, of the `count` that a batch has.
  func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule
  /// The result in other operations, for devices without a kernel for this one; `nil` where all have one.
  func decomposition(_ inputs: [Tensor]) -> Tensor?
  /// For each operand its share of the gradient, where it is wanted; `nil` for an operation that has no gradient.
  func gradients(_ site: GradientSite) -> [Tensor?]?
}

extension Operation {
  package var attributes: String { "" }
  package var storage: StorageRule { .own }
  package func offset(in operand: TensorType, of result: TensorType) -> Int? { nil }
  package func offsets(of operands: [TensorType], in result: TensorType) -> [Int]? { nil }
  package func contractionOperations(inputs: [[Int]], result: [Int]) -> Double { 0 }
  package func decomposition(_ inputs: [Tensor]) -> Tensor? { nil }
}

/// Where the result of an operation lies.
package enum StorageRule {
  /// In memory that is filled from outside before each run.
  case feed
  /// In memory that is filled when the plan is made.
  case constant
  /// In memory that outlasts the plan.
  case parameter
  /// In memory that a kernel writes.
  case own
  /// Where the operand lies: the same elements under another shape.
  case view
  /// Where the operand lies, if it is elements side by side of it, else in memory that a kernel writes.
  case piece
  /// In memory that those who compute the operands write, each its piece.
  case pieces
  /// Nowhere: operands are overwritten.
  case targets

  package var hasKernel: Bool {
    switch self {
    case .own, .piece, .targets: true
    case .feed, .constant, .parameter, .view, .pieces: false
    }
  }
}

/// What a part of the rows of operands makes of an operation; the positions are those of the operands that are read by
/// rows, all others are read as a whole.
package enum BatchRule {
  /// Nothing: it needs all rows at once.
  case whole
  /// Those rows of the result.
  case rows([Int])
  /// A summand of the result.
  case sum([Int])
  /// The mean over those rows, of which the result is the weighted mean.
  case mean([Int])
  /// A summand or a mean, where all operands are; and those rows of the result, where `rows`, and the operand is rows.
  case asOperands(rows: Bool)
}

/// A node whose gradient is taken.
package struct GradientSite {
  package let inputs: [Tensor]
  package let result: Tensor
  /// Of the result.
  package let gradient: Tensor
  /// Which inputs' shares are asked for.
  package let wanted: [Bool]

  package var graph: Graph { result.graph }
}
