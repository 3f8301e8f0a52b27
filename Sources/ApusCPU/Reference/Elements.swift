import ApusCore

/// An operand's elements as `Double`, whatever their type: what the reference kernels compute with.
struct Elements {
  let base: UnsafeMutableRawPointer
  let dtype: DType

  init(_ operand: Operand<CPUBuffer>) {
    base = operand.base
    dtype = operand.type.dtype
  }

  subscript(index: Int) -> Double {
    get {
      switch dtype {
      case .float32: Double(base.assumingMemoryBound(to: Float.self)[index])
      case .float64: base.assumingMemoryBound(to: Double.self)[index]
      case .int32: Double(base.assumingMemoryBound(to: Int32.self)[index])
      case .uint8: Double(base.assumingMemoryBound(to: UInt8.self)[index])
      }
    }
    nonmutating set {
      switch dtype {
      case .float32: base.assumingMemoryBound(to: Float.self)[index] = Float(newValue)
      case .float64: base.assumingMemoryBound(to: Double.self)[index] = newValue
      case .int32: base.assumingMemoryBound(to: Int32.self)[index] = Int32(saturating: newValue)
      case .uint8: base.assumingMemoryBound(to: UInt8.self)[index] = UInt8(saturating: newValue)
      }
    }
  }
}

extension Invocation<CPUBuffer> {
  /// The operation in plain loops, then its epilogue.
  func withReferenceEpilogue(_ body: @escaping () -> Void) -> () -> Void {
    guard let epilogue else { return body }
    let finish = referenceEpilogue(epilogue)
    return {
      body()
      finish()
    }
  }
}
