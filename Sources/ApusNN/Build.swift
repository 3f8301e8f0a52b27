import ApusCore

extension Layer {
  /// Gives every parameter of the model its name, shape and first value, by tracing the model once.
  ///
  /// - Parameters:
  ///   - inputShape: one sample, without the batch axis: `[28, 28, 1]`.
  ///   - seed: of the initial values.
  /// - Returns: the shape of one sample's output.
  /// - Throws: `GraphError` naming the layer, for sizes that do not fit or a layer that is never called.
  @discardableResult
  public func build(inputShape: [Int], seed: UInt64 = 0) throws -> [Int] {
    guard inputShape.allSatisfy({ $0 > 0 }), inputShape.checkedElementCount != nil else {
      throw GraphError(
        label: "build", message: "the input shape \(inputShape.shapeDescription) must hold sizes of at least 1")
    }
    let parameters = ModelWalk(self, settlesNames: true).parameters
    let graph = Graph(seed: seed)
    let output = try graph.trace { graph in self(graph.input("input", shape: [1] + inputShape)) }
    if let unused = parameters.first(where: { !$0.isInitialized }) {
      throw GraphError(
        label: unused.name, message: "has no shape: the model never calls the layer that holds it; call or remove it")
    }
    let known = Set(parameters.map(ObjectIdentifier.init))
    if let stray = graph.nodes.lazy.compactMap(\.parameter).first(where: { !known.contains(ObjectIdentifier($0)) }) {
      throw GraphError(
        label: stray.name,
        message: "is used by the model but is in none of its properties, so it could not be trained or saved; "
          + "store the layer in a property")
    }
    guard output.shape.first == 1 else {
      throw GraphError(
        label: "build",
        message: "one sample \(inputShape.shapeDescription) becomes \(output.shape.shapeDescription); "
          + "the first axis of a model's output must stay the batch")
    }
    return Array(output.shape.dropFirst())
  }
}
