import ApusCore

/// What a library kernel can do to its result by itself: add a bias, then cut off below zero.
struct NativeEpilogue {
  var bias: UnsafeMutablePointer<Float>?
  var relu = false

  /// The epilogue in these terms, or `nil` where it does more.
  init?(_ invocation: Invocation<CPUBuffer>) {
    guard var expression = invocation.epilogue else { return }
    if case .binary(.maximum, let inner, .constant(0)) = expression {
      relu = true
      expression = inner
    }
    switch expression {
    case .input(0): return
    case .binary(.add, .input(0), .input(let slot)), .binary(.add, .input(let slot), .input(0)):
      guard slot > 0 else { return nil }
      let operand = invocation.epilogueInputs[slot - 1]
      guard operand.type.dtype == .float32, operand.count == invocation.output.shape.last,
        operand.count != invocation.output.count
      else { return nil }
      bias = operand.floats
    default: return nil
    }
  }
}
