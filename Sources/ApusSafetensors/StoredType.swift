import ApusCore

/// How a tensor's elements are stored in a file.
enum StoredType: Equatable {
  case native(DType)
  case float16, bfloat16
  /// Integers of other widths, which become int32.
  case signed(byteCount: Int)
  case unsigned(byteCount: Int)
  /// A type that cannot be read, by its name in the file.
  case other(String)

  init(name: String) {
    switch name {
    case "F32": self = .native(.float32)
    case "F64": self = .native(.float64)
    case "I32": self = .native(.int32)
    case "U8", "BOOL": self = .native(.uint8)
    case "F16": self = .float16
    case "BF16": self = .bfloat16
    case "I8": self = .signed(byteCount: 1)
    case "I16": self = .signed(byteCount: 2)
    case "I64": self = .signed(byteCount: 8)
    case "U16": self = .unsigned(byteCount: 2)
    case "U32": self = .unsigned(byteCount: 4)
    case "U64": self = .unsigned(byteCount: 8)
    default: self = .other(name)
    }
  }

  static func name(of dtype: DType) -> String {
    switch dtype {
    case .float32: "F32"
    case .float64: "F64"
    case .int32: "I32"
    case .uint8: "U8"
    }
  }

  /// Of one element; `nil` when it is not known.
  var byteCount: Int? {
    switch self {
    case .native(let dtype): dtype.byteCount
    case .float16, .bfloat16: 2
    case .signed(let byteCount), .unsigned(let byteCount): byteCount
    case .other: nil
    }
  }
}
