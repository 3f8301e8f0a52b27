/// The type of one element of an array.
public enum DType: String, Sendable, Hashable, CaseIterable, Codable {
  case float32, float64, int32, uint8

  /// Bytes per element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float64: 8
    case .uint8: 1
    }
  }

  /// Whether gradients can flow through arrays of this type.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64: true
    case .int32, .uint8: false
    }
  }
}

/// A Swift scalar that an `NDArray` can hold.
public protocol Element: BitwiseCopyable, Sendable, Numeric, Comparable {
  static var dtype: DType { get }
}

extension Float: Element { public static var dtype: DType { .float32 } }
extension Double: Element { public static var dtype: DType { .float64 } }
extension Int32: Element { public static var dtype: DType { .int32 } }
extension UInt8: Element { public static var dtype: DType { .uint8 } }
