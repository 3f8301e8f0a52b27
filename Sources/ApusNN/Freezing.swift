public import ApusCore

extension Model {
  /// Freezes the model, or layer, and all in it: optimizers leave its weights, and its batch normalizations take their
  /// running statistics, which stay, as in Keras.
  ///
  /// A trainer follows at its next `fit`; what its optimizer keeps of a weight waits for the weight. A `TrainStep` refuses
  /// the change.
  ///
  /// ```swift
  /// net.body.freeze()
  /// let trainer = try Trainer(net, loss: .sparseCategoricalCrossEntropy)     // trains the head alone
  /// ```
  public func freeze() { for parameter in parameters { parameter.isFrozen = true } }

  /// Takes `freeze` back.
  public func unfreeze() { for parameter in parameters { parameter.isFrozen = false } }

  /// Freezes the parameters that `filter` means, by their paths in this model.
  ///
  /// ```swift
  /// try net.freeze(.path("body.*"))
  /// try net.unfreeze(.path("body.conv2d_4.*"))     // and its last layer learns again
  /// ```
  /// - Throws: `GraphError` when the filter means none.
  public func freeze(_ filter: ParameterFilter) throws { try setFrozen(true, filter) }

  /// Takes `freeze` back for the parameters that `filter` means.
  ///
  /// - Throws: `GraphError` when the filter means none.
  public func unfreeze(_ filter: ParameterFilter) throws { try setFrozen(false, filter) }

  private func setFrozen(_ isFrozen: Bool, _ filter: ParameterFilter) throws(GraphError) {
    let walk = ModelWalk(self)
    let meant = zip(walk.paths, walk.parameters).filter { filter.matches($0, $1) }
    guard !meant.isEmpty else { throw filter.meansNothing(in: walk.paths) }
    for (_, parameter) in meant { parameter.isFrozen = isFrozen }
  }

  /// The model as inference has it; see `Layer.inference(_:)`.
  public func inference(_ inputs: [Tensor]) -> [Tensor] {
    precondition(!inputs.isEmpty, "\(Self.self): called without an input")
    return inputs[0].graph.with(.inference) { self(inputs) }
  }
}

extension Layer {
  /// The layer as inference has it, also in a graph that trains: no dropout, running statistics, which stay.
  ///
  /// Its weights are trained all the same, unless they are frozen. Keras's `layer(x, training=False)`.
  ///
  /// ```swift
  /// func forward(_ x: Tensor) -> Tensor { head(body.inference(x)) }
  /// ```
  public func inference(_ x: Tensor) -> Tensor { x.graph.with(.inference) { self(x) } }
}
