/// How a user names one of several devices.
///
/// ```swift
/// let second: DeviceSelection = 1
/// let card: DeviceSelection = "radeon"
/// ```
public enum DeviceSelection: Hashable, Sendable {
  /// GPU, then accelerator, then CPU; the first of its kind.
  case best
  /// Its number in the list of devices.
  case index(Int)
  case kind(DeviceDescription.Kind)
  /// A piece of the device's, vendor's or platform's name, in any case.
  case named(String)

  /// Nothing, `2`, `gpu`, `cpu`, `accelerator` or a piece of a name.
  public init(_ text: String) {
    if text.isEmpty {
      self = .best
    } else if let index = Int(text) {
      self = .index(index)
    } else if let kind = DeviceDescription.Kind(rawValue: text.lowercased()) {
      self = .kind(kind)
    } else {
      self = .named(text)
    }
  }
}

extension DeviceSelection: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public init(integerLiteral value: Int) { self = .index(value) }
  public init(stringLiteral value: String) { self.init(value) }
}

extension DeviceSelection: CustomStringConvertible {
  public var description: String {
    switch self {
    case .best: ""
    case .index(let index): "\(index)"
    case .kind(let kind): kind.rawValue
    case .named(let name): name
    }
  }
}
