public import ApusCore

/// A network with any number of inputs and outputs; a `Layer` is one with one of each.
///
/// ```swift
/// struct TwoHeads: Model {
///   let inputCount = 2
///   let body = Conv2D(16, kernel: 3, activation: .relu), digit = Dense(10), angle = Dense(1)
///   func forward(_ inputs: [Tensor]) -> [Tensor] {
///     let x = concat([body(inputs[0]).flattened(), inputs[1]])
///     return [digit(x), angle(x)]
///   }
/// }
/// ```
/// What a `Trainer` makes of each output is an `Output`. A part of another model is called with a list and gives one:
/// `let maps = pyramid([x])`.
public protocol Model {
  /// How many tensors `forward` takes.
  var inputCount: Int { get }
  /// Appends the model's operations to the graph of `inputs`, of which there are `inputCount`, and returns its results,
  /// always as many.
  func forward(_ inputs: [Tensor]) -> [Tensor]
}

extension Model {
  /// `forward`, under the model's name: the path of the property that holds it.
  ///
  /// With another number of inputs than `inputCount` the mistake is recorded in their graph, and there is no result.
  public func callAsFunction(_ inputs: [Tensor]) -> [Tensor] {
    precondition(!inputs.isEmpty, "\(Self.self): called without an input")
    let graph = inputs[0].graph
    guard inputs.count == inputCount else {
      graph.fail(
        "\(snakeCase("\(Self.self)")) takes \(counted(inputCount, "input")) and is given \(inputs.count); give one tensor "
          + "for each, in the order in which `forward` takes them")
      return []
    }
    return graph.scope(Self.relative(ModelWalk.settledPath(of: self) ?? "", to: graph.label)) { forward(inputs) }
  }

  /// `path` without the scopes that are already open.
  static func relative(_ path: String, to open: String) -> String {
    path == open ? "" : path.hasPrefix(open + ".") ? String(path.dropFirst(open.count + 1)) : path
  }
}

/// `1 input`, `2 inputs`.
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The name of the first of several, `inputs`, or of a later one: `inputs_1`.
package func numbered(_ name: String, _ index: Int) -> String { index == 0 ? name : "\(name)_\(index)" }
