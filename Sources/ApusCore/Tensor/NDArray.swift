/// Concrete data on the host: a shape, an element type and the elements in row-major order.
///
/// Data sets, files, tests and the results of a step are `NDArray`s; a `Tensor` is only a symbol in a graph.
///
/// ```swift
/// let x = NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
/// x.values(as: Float.self)[4]   // 5.0
/// ```
public struct NDArray: Sendable, Hashable {
  public let shape: [Int]
  public let dtype: DType
  /// The elements' bytes, row-major, in the machine's byte order.
  public private(set) var bytes: [UInt8]

  /// An array of `values`; their number must be the product of `shape`.
  public init<T: Element>(_ values: [T], shape: [Int]) {
    precondition(
      shape.checkedElementCount == values.count,
      "NDArray: \(values.count) values do not fill the shape \(shape.shapeDescription)")
    self.shape = shape
    self.dtype = T.dtype
    self.bytes = values.withUnsafeBytes { [UInt8]($0) }
  }

  /// A scalar (shape `[]`).
  public init<T: Element>(_ value: T) { self.init([value], shape: []) }

  /// An array over ready bytes, or `nil` when their number is not what shape and type ask for.
  public init?(bytes: [UInt8], shape: [Int], dtype: DType) {
    guard let count = shape.checkedElementCount else { return nil }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: dtype.byteCount)
    guard !overflow, byteCount == bytes.count else { return nil }
    self.shape = shape
    self.dtype = dtype
    self.bytes = bytes
  }

  /// An array whose elements `fill` writes, all of them, without another copy.
  package init<T: Element>(shape: [Int], filledBy fill: (UnsafeMutableBufferPointer<T>) -> Void) {
    self.shape = shape
    self.dtype = T.dtype
    let byteCount = shape.elementCount * T.dtype.byteCount
    self.bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
      let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<byteCount])
      fill(room.bindMemory(to: T.self))
      initialized = byteCount
    }
  }

  /// An array of zeros.
  public init(zeros shape: [Int], dtype: DType = .float32) {
    self.shape = shape
    self.dtype = dtype
    self.bytes = [UInt8](repeating: 0, count: shape.elementCount * dtype.byteCount)
  }

  public var count: Int { shape.elementCount }
  public var byteCount: Int { bytes.count }

  /// The elements; `T` must be the array's type.
  public func values<T: Element>(as type: T.Type = T.self) -> [T] {
    precondition(T.dtype == dtype, "NDArray: holds \(dtype), asked for \(T.dtype); use converted(to:) first")
    return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      initialized = count
    }
  }

  /// The elements as `Double`, whatever the type.
  public var doubles: [Double] {
    switch dtype {
    case .float32: values(as: Float.self).map(Double.init)
    case .float64: values(as: Double.self)
    case .int32: values(as: Int32.self).map(Double.init)
    case .uint8: bytes.map(Double.init)
    }
  }

  /// The single element of an array that has one, as `Double`.
  public var item: Double {
    precondition(count == 1, "NDArray: item needs exactly one element, the shape is \(shape.shapeDescription)")
    return doubles[0]
  }

  /// The same values in another type (rounded towards zero for integers, saturating).
  public func converted(to target: DType) -> NDArray {
    if target == dtype { return self }
    let source = doubles
    switch target {
    case .float32: return NDArray(source.map { Float($0) }, shape: shape)
    case .float64: return NDArray(source, shape: shape)
    case .int32: return NDArray(source.map { Int32(saturating: $0) }, shape: shape)
    case .uint8: return NDArray(source.map { UInt8(saturating: $0) }, shape: shape)
    }
  }

  /// The same elements under another shape of equal size.
  public func reshaped(_ newShape: [Int]) -> NDArray {
    precondition(
      newShape.checkedElementCount == count,
      "NDArray: \(shape.shapeDescription) cannot be reshaped to \(newShape.shapeDescription)")
    return NDArray(bytes: bytes, shape: newShape, dtype: dtype)!
  }

  /// Rows `range` of the first axis.
  public func rows(_ range: Range<Int>) -> NDArray {
    precondition(!shape.isEmpty && range.upperBound <= shape[0], "NDArray: rows \(range) of \(shape.shapeDescription)")
    let rowBytes = shape.dropFirst().reduce(dtype.byteCount, *)
    let part = Array(bytes[(range.lowerBound * rowBytes)..<(range.upperBound * rowBytes)])
    return NDArray(bytes: part, shape: [range.count] + shape.dropFirst(), dtype: dtype)!
  }

  /// Copies row `index` of the first axis to memory of its size.
  package func copyRow(_ index: Int, to memory: UnsafeMutableRawBufferPointer) {
    bytes.withUnsafeBytes { bytes in
      memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[(index * memory.count)...].prefix(memory.count)))
    }
  }

  /// Reads the elements in place.
  public func withElements<T: Element, R>(as type: T.Type = T.self, _ body: (UnsafeBufferPointer<T>) throws -> R)
    rethrows -> R
  {
    precondition(T.dtype == dtype, "NDArray: holds \(dtype), asked for \(T.dtype)")
    return try bytes.withUnsafeBytes { try body($0.bindMemory(to: T.self)) }
  }
}

extension NDArray: CustomStringConvertible {
  /// Type, shape and the first few values: `float32[2x3] 1.0 2.0 3.0 ...`.
  public var description: String {
    let head = doubles.prefix(8).map(\.text).joined(separator: " ")
    return "\(dtype)[\(shape.shapeDescription)] \(head)\(count > 8 ? " ..." : "")"
  }
}

extension FixedWidthInteger {
  /// `value` rounded towards zero and clamped to the type's range; NaN becomes zero.
  package init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= Double(Self.max) {
      self = .max
    } else if value <= Double(Self.min) {
      self = .min
    } else {
      self = Self(value)
    }
  }
}
