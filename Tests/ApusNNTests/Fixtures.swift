import ApusCore
import ApusDevices
import ApusSafetensors
import Foundation
import Testing

/// A case of fixed values, made by `Tests/Fixtures/make_fixtures.py` from Keras and PyTorch.
struct Fixture: CustomTestStringConvertible, Sendable {
  let name: String
  let attributes: [String: JSON]
  let tensors: [String: NDArray]

  var testDescription: String { name }
  var op: String { string("op") ?? "" }

  subscript(tensor: String) -> NDArray { tensors[tensor]! }
  func string(_ key: String) -> String? { if case .string(let value)? = attributes[key] { value } else { nil } }
  func number(_ key: String) -> Double? { if case .number(let value)? = attributes[key] { value } else { nil } }
  func flag(_ key: String) -> Bool { if case .bool(let value)? = attributes[key] { value } else { false } }
  func integers(_ key: String) -> [Int] {
    guard case .array(let values)? = attributes[key] else { return [] }
    return values.compactMap { if case .number(let value) = $0 { Int(value) } else { nil } }
  }
  func pair(_ key: String) -> (Int, Int) { (integers(key)[0], integers(key)[1]) }

  /// All cases of a file, by name.
  static func all(in topic: String) -> [Fixture] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let path = folder.appending(path: "Fixtures/\(topic).safetensors").path
    guard let (tensors, metadata) = try? Safetensors.read(from: path) else {
      Issue.record("\(path) cannot be read")
      return []
    }
    return metadata.sorted { $0.key < $1.key }.compactMap { name, text in
      guard let attributes = try? JSONDecoder().decode([String: JSON].self, from: Data(text.utf8)) else { return nil }
      let own = tensors.filter { $0.name.hasPrefix(name + ".") && !$0.name.dropFirst(name.count + 1).contains(".") }
      return Fixture(
        name: name, attributes: attributes,
        tensors: Dictionary(uniqueKeysWithValues: own.map { (String($0.name.dropFirst(name.count + 1)), $0.array) }))
    }
  }

  enum JSON: Decodable, Sendable {
    case number(Double), string(String), bool(Bool), array([JSON]), null

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let value = try? container.decode(Bool.self) {
        self = .bool(value)
      } else if let value = try? container.decode(Double.self) {
        self = .number(value)
      } else if let value = try? container.decode(String.self) {
        self = .string(value)
      } else {
        self = .array(try container.decode([JSON].self))
      }
    }
  }
}

/// Values of the tensors that `body` makes, computed on the reference backend.
func evaluate(
  mode: Graph.Mode = .inference, on device: Device = .reference, _ body: (Graph) throws -> [Tensor]
) throws -> [NDArray] {
  let graph = Graph(mode: mode)
  let outputs = try graph.trace(body)
  return try device.openSession().compile(graph, outputs: outputs)([], outputs: outputs.count)
}

/// Records a failure unless all values agree within `tolerance`, relative to the largest value expected.
func expectEqual(
  _ actual: NDArray, _ expected: NDArray, tolerance: Double = 2e-6, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, "\(what)", sourceLocation: sourceLocation)
  let scale = max(expected.doubles.map(abs).max() ?? 0, 0.05)
  let error = zip(actual.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0
  #expect(error <= tolerance * scale, "\(what): off by \(error) of \(scale)", sourceLocation: sourceLocation)
}
