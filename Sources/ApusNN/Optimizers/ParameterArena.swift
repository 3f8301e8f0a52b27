package import ApusCore

/// All trainable parameters of a model side by side in one vector, and the optimizer's state vectors of the same
/// layout, so that an optimizer's step is one launch.
///
/// Made after the model is built and before the session's first plan: that is when the device's memory is laid out.
package final class ParameterArena {
  package let parameters: [Parameter]
  package let states: [Parameter]
  private let vector: Parameter
  private let offsets: [Int]
  private let optimizer: any Optimizer

  /// Parameters start at multiples of 512 bytes, the strictest alignment of views that devices ask for.
  private static let granule = 128

  /// - Throws: `GraphError` when there is nothing to train, or when the session already holds the parameters elsewhere.
  package init(_ parameters: [Parameter], optimizer: any Optimizer, session: any Session) throws {
    let trainable = parameters.filter(\.isTrainable)
    guard !trainable.isEmpty else {
      throw GraphError(label: "optimizer", message: "the model has no trainable parameter")
    }
    for parameter in parameters {
      if parameter.session === session {
        throw GraphError(
          label: parameter.name,
          message: "is already in use in this session; make the training step before other plans of the session")
      }
      // Another session may have trained it: that value is the one to start from.
      try parameter.assign(parameter.value())
    }
    var offsets: [Int] = []
    var count = 0
    for parameter in trainable {
      offsets.append(count)
      count += (parameter.shape.elementCount + Self.granule - 1) / Self.granule * Self.granule
    }
    let zeros = NDArray(zeros: [count])
    self.parameters = trainable
    self.offsets = offsets
    self.optimizer = optimizer
    vector = Parameter("parameters", value: zeros)
    states = optimizer.stateNames.map { Parameter("optimizer.\($0)", value: zeros, isTrainable: false) }
    for (parameter, offset) in zip(trainable, offsets) { parameter.move(to: vector, offset: offset) }
    // Now: of a parameter that a plan only writes, the first value would be uploaded later, over the new one.
    try session.place(parameters + states)
  }

  /// Elements of the vector, gaps included.
  package var count: Int { vector.shape[0] }

  /// Appends the gradients of `scale` times the sum of `loss`, and the optimizer's update.
  ///
  /// The factor is part of the update's expression, where it costs no launch.
  ///
  /// - Returns: the inputs to be fed with the optimizer's values of the step, in order.
  @discardableResult
  package func appendUpdate(to graph: Graph, loss: Tensor, scale: Double = 1) -> [Tensor] {
    let gradients = graph.gradients(of: loss, with: parameters.map { graph.parameter($0) })
    let gradient = graph.pack(gradients, offsets: offsets, count: count)
    let values = optimizer.values(step: 1).indices.map { graph.feed("optimizer.value\($0)", shape: []) }
    let slots = (0..<(2 + states.count + values.count)).map { Expr.input($0) }
    let stateEnd = 1 + states.count
    let rule = optimizer.rule(
      RuleInputs(
        parameter: slots[0], gradient: .constant(scale) * slots[stateEnd], states: Array(slots[1..<stateEnd]),
        values: Array(slots[(stateEnd + 1)...])))
    graph.update([vector] + states, reading: [gradient] + values, [rule.parameter] + rule.states)
    return values
  }
}

extension Session {
  /// Allocates and fills the device's memory of `parameters`.
  package func place(_ parameters: [Parameter]) throws {
    let graph = Graph()
    _ = try compile(graph, outputs: parameters.map { graph.parameter($0) })
  }
}
