public import ApusCore

extension Layer {
  /// Freezes the layer and all in it: optimizers leave its weights, and its batch normalizations take their running
  /// statistics, which stay, as in Keras.
  ///
  /// Done before a trainer or a training step is made; one that has begun refuses the change.
  ///
  /// ```swift
  /// net.body.freeze()
  /// let trainer = try Trainer(net, loss: .sparseCategoricalCrossEntropy)     // trains the head alone
  /// ```
  public func freeze() { for parameter in parameters { parameter.isFrozen = true } }

  /// Takes `freeze` back.
  public func unfreeze() { for parameter in parameters { parameter.isFrozen = false } }

  /// The layer as inference has it, also in a graph that trains: no dropout, running statistics, which stay.
  ///
  /// Its weights are trained all the same, unless they are frozen. Keras's `layer(x, training=False)`.
  ///
  /// ```swift
  /// func callAsFunction(_ x: Tensor) -> Tensor { head(body.inference(x)) }
  /// ```
  public func inference(_ x: Tensor) -> Tensor { x.graph.with(.inference) { self(x) } }
}
