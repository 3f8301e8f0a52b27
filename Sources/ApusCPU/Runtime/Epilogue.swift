import ApusCore

/// What a library kernel can do to its result by itself: add a bias and an array like the result, then cut off below
/// zero.
struct NativeEpilogue {
  var bias: UnsafeMutablePointer<Float>?
  var addend: UnsafeMutablePointer<Float>?
  var relu = false

  /// The epilogue in these terms, or `nil` where it does more.
  init?(_ invocation: Invocation<CPUBuffer>) {
    guard let epilogue = invocation.epilogue else { return }
    let operands = invocation.epilogueInputs
    guard let terms = Terms(epilogue, operands: operands.map(\.type), result: invocation.resultType) else { return nil }
    bias = terms.bias.map { operands[$0].floats }
    addend = terms.addend.map { operands[$0].floats }
    relu = terms.relu
  }

  /// For kernels that add a bias and nothing else: `nil` where an array is to be added, too.
  init?(withoutAddend invocation: Invocation<CPUBuffer>) {
    self.init(invocation)
    if addend != nil { return nil }
  }

  /// Positions of the operands.
  struct Terms {
    var bias: Int?
    var addend: Int?
    var relu = false

    init?(_ epilogue: Expr, operands: [TensorType], result: TensorType) {
      var terms = [epilogue]
      if case .binary(.maximum, let inner, .constant(0)) = epilogue {
        relu = true
        terms = [inner]
      }
      var hasResult = false
      while let term = terms.popLast() {
        switch term {
        case .binary(.add, let a, let b): terms += [a, b]
        case .input(0) where !hasResult: hasResult = true
        case .input(let slot) where slot > 0:
          let operand = operands[slot - 1]
          guard operand.dtype == .float32 else { return nil }
          switch EpilogueOperandKind(operand, of: result) {
          case .channel where bias == nil: bias = slot - 1
          case .full where addend == nil: addend = slot - 1
          case .scalar, .channel, .full: return nil
          }
        default: return nil
        }
      }
      if !hasResult { return nil }
    }
  }
}
