/// Which parameters of a model are meant: the same filter groups, freezes and loads.
///
/// ```swift
/// model.freeze(.path("body.*"))
/// let trainer = try Trainer(model, optimizer: AdamW(), groups: [ParameterGroup(!.kernels, weightDecay: 0)])
/// ```
public struct ParameterFilter: Sendable {
  indirect enum Rule: Sendable {
    case path(String)
    case kernels
    case either(Rule, Rule)
    case both(Rule, Rule)
    case not(Rule)
    case predicate(@Sendable (String, Parameter) -> Bool)
  }

  let rule: Rule

  /// Parameters by their path in the model, `body.conv2d_1.kernel`; `*` stands for any letters, points included.
  public static func path(_ pattern: String) -> ParameterFilter { ParameterFilter(rule: .path(pattern)) }
  /// All parameters.
  public static let all = path("*")
  /// Those with two axes or more: the kernels of convolutions and dense layers, not biases, scales and shifts.
  public static let kernels = ParameterFilter(rule: .kernels)
  /// Those with at most one axis: biases, and the scales and shifts of norms.
  public static let biasesAndNorms = !kernels
  /// Those for which `predicate` holds, given the path and the parameter. A file says that it was there, no more.
  public static func matching(
    _ predicate: @escaping @Sendable (_ path: String, _ parameter: Parameter) -> Bool
  ) -> ParameterFilter { ParameterFilter(rule: .predicate(predicate)) }

  public static func || (a: ParameterFilter, b: ParameterFilter) -> ParameterFilter {
    ParameterFilter(rule: .either(a.rule, b.rule))
  }
  public static func && (a: ParameterFilter, b: ParameterFilter) -> ParameterFilter {
    ParameterFilter(rule: .both(a.rule, b.rule))
  }
  public static prefix func ! (a: ParameterFilter) -> ParameterFilter { ParameterFilter(rule: .not(a.rule)) }

  /// Whether `parameter`, which is at `path` in its model and has a shape, is meant.
  public func matches(_ path: String, _ parameter: Parameter) -> Bool { rule.matches(path, parameter) }

  /// The error of a filter that means none of a model's parameters.
  package func meansNothing(in paths: [String]) -> GraphError {
    GraphError(
      label: "the filter \(self)",
      message: "means no parameter; the model has \(paths.prefix(20).joined(separator: ", "))"
        + (paths.count > 20 ? " and \(paths.count - 20) more" : ""))
  }
}

extension ParameterFilter.Rule {
  func matches(_ path: String, _ parameter: Parameter) -> Bool {
    switch self {
    case .path(let pattern): Self.glob(pattern[...], path[...])
    case .kernels: parameter.shape.count >= 2
    case .either(let a, let b): a.matches(path, parameter) || b.matches(path, parameter)
    case .both(let a, let b): a.matches(path, parameter) && b.matches(path, parameter)
    case .not(let a): !a.matches(path, parameter)
    case .predicate(let predicate): predicate(path, parameter)
    }
  }

  /// Greedy from left to right: of the places where the text after a `*` goes on, the first is as good as any.
  private static func glob(_ pattern: Substring, _ text: Substring) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return pattern == text }
    guard text.hasPrefix(parts[0]) else { return false }
    var rest = text.dropFirst(parts[0].count)
    for part in parts[1..<(parts.count - 1)] where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts.last!)
  }
}

extension Substring {
  fileprivate func firstRange(of part: Substring) -> Range<Index>? {
    var start = startIndex
    while start <= endIndex {
      if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
      guard start < endIndex else { return nil }
      start = index(after: start)
    }
    return nil
  }
}

/// In messages: `(body.* and not kernels)`.
extension ParameterFilter: CustomStringConvertible {
  public var description: String { rule.description }
}

extension ParameterFilter.Rule: CustomStringConvertible {
  var description: String {
    switch self {
    case .path("*"): "all"
    case .path(let pattern): pattern
    case .kernels: "kernels"
    case .either(let a, let b): "(\(a) or \(b))"
    case .both(let a, let b): "(\(a) and \(b))"
    case .not(let a): "not \(a)"
    case .predicate: "a predicate"
    }
  }
}

/// Encoded as an object with one key: `path`, `kind`, `or`, `and` or `not`.
extension ParameterFilter: Codable {
  private enum Key: String, CodingKey { case path, kind, or, and, not }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func filters(_ key: Key) throws -> [ParameterFilter]? {
      guard let filters = try container.decodeIfPresent([ParameterFilter].self, forKey: key) else { return nil }
      guard !filters.isEmpty else {
        throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "no filter")
      }
      return filters
    }
    if let pattern = try container.decodeIfPresent(String.self, forKey: .path) {
      self = .path(pattern)
    } else if let kind = try container.decodeIfPresent(String.self, forKey: .kind) {
      guard kind == Self.kernels.description else {
        throw DecodingError.dataCorruptedError(
          forKey: .kind, in: container, debugDescription: "parameters of the kind '\(kind)' cannot be told from a file")
      }
      self = .kernels
    } else if let inner = try container.decodeIfPresent(ParameterFilter.self, forKey: .not) {
      self = !inner
    } else if let any = try filters(.or) {
      self = any.dropFirst().reduce(any[0], ||)
    } else if let all = try filters(.and) {
      self = all.dropFirst().reduce(all[0], &&)
    } else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: "a filter is one of path, kind, or, and, not"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    func wrapped(_ rules: ParameterFilter.Rule...) -> [ParameterFilter] { rules.map { ParameterFilter(rule: $0) } }
    switch rule {
    case .path(let pattern): try container.encode(pattern, forKey: .path)
    case .kernels: try container.encode(description, forKey: .kind)
    case .either(let a, let b): try container.encode(wrapped(a, b), forKey: .or)
    case .both(let a, let b): try container.encode(wrapped(a, b), forKey: .and)
    case .not(let a): try container.encode(wrapped(a)[0], forKey: .not)
    case .predicate: try container.encode(description, forKey: .kind)
    }
  }
}
