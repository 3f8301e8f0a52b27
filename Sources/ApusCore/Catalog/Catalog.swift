import Synchronization

/// Parts of one kind that users choose by name, and that files name: `Optimizers.catalog`, `Schedules.catalog`.
///
/// Parts of one's own are registered once, before they are first named:
///
/// ```swift
/// Optimizers.catalog.register(SignDescent.self)
/// ```
public final class Catalog<Part: Sendable>: Sendable {
  private let kind: String
  private let entries: Mutex<[(name: String, part: Part)]>

  /// - Parameters:
  ///   - kind: what users call such a part: `optimizer`.
  ///   - name: that of a part.
  package init(_ kind: String, _ parts: [Part], name: (Part) -> String) {
    self.kind = kind
    entries = Mutex(parts.map { (name($0), $0) })
  }

  /// In the order of registration.
  public var names: [String] { entries.withLock { $0.map(\.name) } }

  /// - Throws: `UnknownNameError` that lists the names.
  public func part(named name: String) throws(UnknownNameError) -> Part {
    if let part = entries.withLock({ $0.first { $0.name == name }?.part }) { return part }
    throw UnknownNameError(kind: kind, name: name, known: names)
  }

  /// Adds `part`, or puts it in the place of that of the same name.
  package func register(_ part: Part, as name: String) {
    entries.withLock { entries in
      entries.removeAll { $0.name == name }
      entries.append((name, part))
    }
  }
}

/// No part of a kind has this name.
public struct UnknownNameError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was looked for: `optimizer`.
  public let kind: String
  public let name: String
  /// The names that there are.
  public let known: [String]

  public var description: String { "there is no \(kind) '\(name)'; choose one of \(known.joined(separator: ", "))" }
}
