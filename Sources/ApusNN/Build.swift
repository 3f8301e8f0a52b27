import ApusCore

extension Model {
  /// Gives every parameter of the model its name, shape and first value, by tracing the model once.
  ///
  /// - Parameters:
  ///   - inputShapes: of each input one sample, without the batch axis: `[[28, 28, 1], [3]]`.
  ///   - seed: of the initial values.
  /// - Returns: of each output the shape of one sample.
  /// - Throws: `GraphError` naming the layer, for sizes that do not fit or a layer that is never called, and for another
  ///   number of inputs than the model takes.
  @discardableResult
  public func build(inputShapes: [[Int]], seed: UInt64 = 0) throws -> [[Int]] {
    guard !inputShapes.isEmpty else {
      throw GraphError(
        label: "build", message: "there is no input shape; the model takes \(counted(inputCount, "input"))")
    }
    for shape in inputShapes where shape.contains(where: { $0 < 1 }) || shape.checkedElementCount == nil {
      throw GraphError(
        label: "build", message: "the input shape \(shape.shapeDescription) must hold sizes of at least 1")
    }
    let parameters = ModelWalk(self, settlesNames: true).parameters
    let graph = Graph(seed: seed)
    let outputs = try graph.trace { graph in self(graph.sample(of: inputShapes)) }
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
    guard !outputs.isEmpty else {
      throw GraphError(label: "build", message: "the model gives no output; return at least one tensor from `forward`")
    }
    if let bad = outputs.firstIndex(where: { $0.shape.first != 1 }) {
      throw GraphError(
        label: "build",
        message: "one sample \(inputShapes.shapesDescription) becomes \(outputs[bad].shape.shapeDescription); "
          + "the first axis of \(outputs.count == 1 ? "a model's output" : "output \(bad)") must stay the batch")
    }
    return outputs.map { Array($0.shape.dropFirst()) }
  }
}

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
    try build(inputShapes: [inputShape], seed: seed)[0]
  }
}

extension Graph {
  /// Inputs for one sample of these shapes.
  func sample(of shapes: [[Int]]) -> [Tensor] {
    shapes.enumerated().map { input(numbered("input", $0), shape: [1] + $1) }
  }
}

extension [[Int]] {
  /// The shapes as users read them: `28x28x1 and 3`.
  package var shapesDescription: String { map(\.shapeDescription).joined(separator: " and ") }
}
