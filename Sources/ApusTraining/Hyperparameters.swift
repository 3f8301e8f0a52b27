import ApusCore
import ApusOptimize

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What an optimizer encodes to, by name, as `config.json` and checkpoints hold it.
typealias Hyperparameters = [String: JSONValue]

/// A value of JSON, as numbers, switches and names of optimizers are.
enum JSONValue: Hashable, Sendable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let list = try? container.decode([JSONValue].self) {
      self = .list(list)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .flag(let flag): try container.encode(flag)
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    case .list(let list): try container.encode(list)
    case .object(let object): try container.encode(object)
    }
  }
}

extension JSONValue: CustomStringConvertible {
  var description: String {
    switch self {
    case .null: "null"
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): "'\(text)'"
    case .list(let list): "\(list)"
    case .object(let object): "\(object)"
    }
  }
}

extension Optimizer {
  /// All of them, the learning rate included.
  func hyperparameters() throws -> Hyperparameters {
    try JSONDecoder().decode(Hyperparameters.self, from: JSONEncoder().encode(self))
  }

  /// The optimizer with other values for the names in `values`.
  ///
  /// - Throws: `TrainingError` that names `path`, for values that are none of this optimizer's.
  func with(_ values: Hyperparameters, from path: String) throws -> Self {
    let own = try hyperparameters()
    if let stranger = values.keys.sorted().first(where: { own[$0] == nil }) {
      throw TrainingError(.badFile, at: path, "the optimizer '\(name)' has no hyperparameter '\(stranger)'")
    }
    do {
      return try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(own.merging(values) { $1 }))
    } catch {
      throw TrainingError(.badFile, at: path, "makes no optimizer '\(name)' of \(values): \(error)")
    }
  }

  /// Where `other` has another value than this one, learning rates aside, which may change in training:
  /// `weight_decay is 0.01 there and 0.004 here`.
  func difference(there other: Self) throws -> String? {
    var other = other
    other.learningRate = learningRate
    let (here, there) = (try hyperparameters(), try other.hyperparameters())
    let names = here.keys.sorted().filter { here[$0] != there[$0] }
    guard !names.isEmpty else { return nil }
    return names.map { "\($0) is \(there[$0] ?? .null) there and \(here[$0] ?? .null) here" }.joined(separator: ", ")
  }
}
