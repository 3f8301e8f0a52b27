import ApusCore
internal import CVector

/// An operand of a pointwise kernel, by how its elements follow the result's.
enum TileOperand {
  /// float32 of the result's shape: read where it lies.
  case whole(UnsafeMutablePointer<Float>)
  /// Another type of the result's shape.
  case converted(UnsafeMutableRawPointer, DType)
  /// One element for all.
  case scalar(UnsafeMutableRawPointer, DType)
  /// The result's last axes: element i is element `i % period`.
  case periodic(UnsafeMutableRawPointer, DType, period: Int)
  /// Any other broadcast, as a walk of the result's shape.
  case strided(UnsafeMutableRawPointer, DType, View)
  /// Seed and step of random numbers, not elements.
  case state(UnsafeMutablePointer<Float>)

  /// How `operand` fills `shape`.
  init(_ operand: Operand<CPUBuffer>, filling shape: [Int]) {
    let (base, dtype) = (operand.base, operand.type.dtype)
    let own = Array(operand.shape.drop { $0 == 1 })
    if operand.count == shape.elementCount {
      self = dtype == .float32 ? .whole(operand.floats) : .converted(base, dtype)
    } else if operand.count == 1 {
      self = .scalar(base, dtype)
    } else if Array(shape.suffix(own.count)) == own {
      self = .periodic(base, dtype, period: operand.count)
    } else {
      self = .strided(base, dtype, View(operand.shape).broadcast(to: shape).merged)
    }
  }

  /// An epilogue's operand, told from its number of elements.
  init(_ operand: Operand<CPUBuffer>, finishing result: TensorType) {
    switch EpilogueOperandKind(operand.type, of: result) {
    case .scalar: self = .scalar(operand.base, operand.type.dtype)
    case .channel: self = .periodic(operand.base, operand.type.dtype, period: operand.count)
    case .full: self = .whole(operand.floats)
    }
  }

  var base: UnsafeMutableRawPointer {
    switch self {
    case .whole(let base), .state(let base): UnsafeMutableRawPointer(base)
    case .converted(let base, _), .scalar(let base, _), .periodic(let base, _, _), .strided(let base, _, _): base
    }
  }

  /// Whether every tile of a part sees the same elements.
  func isSame(inTilesOf tile: Int) -> Bool {
    switch self {
    case .scalar: true
    case .periodic(_, _, let period): tile % period == 0
    case .whole, .converted, .strided, .state: false
    }
  }

  /// Writes the elements for indices `first ..< first + count` of the result.
  func load(_ first: Int, _ count: Int, into target: UnsafeMutablePointer<Float>) {
    switch self {
    case .whole(let base): target.update(from: base + first, count: count)
    case .state: break
    case .converted(let base, let dtype): convert(base, dtype, first, count, into: target)
    case .scalar(let base, let dtype):
      convert(base, dtype, 0, 1, into: target)
      target.update(repeating: target[0], count: count)
    case .periodic(let base, let dtype, let period):
      var done = 0
      while done < count {
        let start = (first + done) % period
        let run = min(period - start, count - done)
        convert(base, dtype, start, run, into: target + done)
        done += run
      }
    case .strided(let base, let dtype, let view):
      let (inner, step) = (view.sizes.last ?? 1, view.strides.last ?? 1)
      var done = 0
      while done < count {
        let start = view.element(first + done)
        let run = min(inner - (first + done) % inner, count - done)
        switch step {
        case 0:
          convert(base, dtype, start, 1, into: target + done)
          let value = target[done]
          (target + done).update(repeating: value, count: run)
        case 1: convert(base, dtype, start, run, into: target + done)
        default: for i in 0..<run { convert(base, dtype, start + i * step, 1, into: target + done + i) }
        }
        done += run
      }
    }
  }
}

/// `count` elements from `first` on, as floats.
func convert(
  _ base: UnsafeMutableRawPointer, _ dtype: DType, _ first: Int, _ count: Int,
  into target: UnsafeMutablePointer<Float>
) {
  switch dtype {
  case .float32: target.update(from: base.assumingMemoryBound(to: Float.self) + first, count: count)
  case .int32: apus_convert_ints(base.assumingMemoryBound(to: Int32.self) + first, target, Int64(count))
  case .uint8: apus_convert_bytes(base.assumingMemoryBound(to: UInt8.self) + first, target, Int64(count))
  case .float64:
    let source = base.assumingMemoryBound(to: Double.self) + first
    for i in 0..<count { target[i] = Float(source[i]) }
  }
}
