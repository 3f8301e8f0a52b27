package import ApusCore

/// All trained parameters of a model side by side in one vector, and vectors of the same layout for what the optimizer
/// and the transforms keep, so that an optimizer's step is one launch for each group of parameters.
///
/// Made after the model is built and before the session's first plan: that is when the device's memory is laid out.
package final class ParameterArena {
  /// Those of one group, side by side: a range of each vector.
  private struct Segment {
    /// In `Optimization.rules`.
    let rule: Int
    let range: Range<Int>
    /// The range of each of `vectors`.
    let boxes: [Parameter]
  }

  /// The place of a parameter in each vector.
  struct Place {
    /// In the model.
    let path: String
    let parameter: Parameter
    let offset: Int

    var range: Range<Int> { offset..<(offset + parameter.shape.elementCount) }
  }

  /// All parameters of the model with their paths in it.
  private let model: [(path: String, parameter: Parameter)]
  /// Those that are trained, in the order of the vector: group by group.
  let places: [Place]
  /// Elements of a vector, gaps included.
  package let count: Int
  /// The weights, then the states of the optimizer, then those of the transforms.
  let vectors: [Parameter]
  private var segments: [Segment] = []
  /// The vector that stands for the weights in evaluation.
  private let standIn: Int?
  private let optimization: Optimization
  private let session: any Session
  private var exchange: (any Executable)?

  /// Parameters start at multiples of 512 bytes, the strictest alignment of views that devices ask for.
  private static let granule = 128

  /// - Parameters:
  ///   - model: all parameters of the model with their paths in it.
  /// - Throws: `GraphError` for an optimization that does not suit the model, or when the session already holds the
  ///   parameters elsewhere.
  package init(
    _ model: [(path: String, parameter: Parameter)], _ optimization: Optimization, session: any Session
  ) throws {
    try optimization.validate()
    for (_, parameter) in model {
      if parameter.session === session {
        throw GraphError(
          label: parameter.name,
          message: "is already in use in this session; make the training step before other plans of the session")
      }
      // Another session may have trained it: that value is the one to start from.
      try parameter.assign(parameter.value())
    }
    let rules = try Self.rules(of: model, in: optimization)
    var places: [Place] = []
    var ranges: [(rule: Int, range: Range<Int>)] = []
    var count = 0
    for rule in optimization.rules.indices {
      let start = count
      for (named, own) in zip(model, rules) where own == rule && named.parameter.isTrainable {
        places.append(Place(path: named.path, parameter: named.parameter, offset: count))
        count += (named.parameter.shape.elementCount + Self.granule - 1) / Self.granule * Self.granule
      }
      if count > start { ranges.append((rule, start..<count)) }
    }
    (self.model, self.places, self.count) = (model, places, count)
    (self.optimization, self.session) = (optimization, session)

    let zeros = NDArray(zeros: [count])
    var standIn: Int?
    var vectors = [Parameter("parameters", value: zeros)]
    vectors += optimization.optimizer.stateNames.map {
      Parameter("optimizer.\($0)", value: zeros, isTrainable: false)
    }
    for state in optimization.transforms.flatMap(\.states) {
      if state.standsForWeights { standIn = vectors.count }
      let weights = { Self.putting(places.map { ($0, $0.parameter.initialValue) }, in: zeros) }
      let first = state.standsForWeights ? weights() : zeros
      vectors.append(Parameter(state.name, value: first, isTrainable: false))
    }
    self.vectors = vectors
    self.standIn = standIn
    for (rule, range) in ranges {
      let boxes =
        ranges.count == 1
        ? vectors
        : vectors.map { vector in
          let box = Parameter("\(vector.name)[\(range)]", value: vector.initialValue.rows(range), isTrainable: false)
          box.move(to: vector, offset: range.lowerBound)
          return box
        }
      segments.append(Segment(rule: rule, range: range, boxes: boxes))
    }
    for place in places { place.parameter.move(to: vectors[0], offset: place.offset) }
    do {
      // Now: of a parameter that a plan only writes, the first value would be uploaded later, over the new one. From the
      // whole to the parts, each of which then has its own first value.
      if count > 0 { try session.place(vectors + (segments.count == 1 ? [] : segments.flatMap(\.boxes))) }
      try session.place(model.map(\.parameter))
    } catch {
      release()
      throw error
    }
  }

  /// Gives back the device's memory; the parameters have the values then that they have on the host.
  package func release() {
    for parameter in model.map(\.parameter) + segments.flatMap(\.boxes) + vectors { session.release(parameter) }
    for place in places { place.parameter.leaveArena() }
  }

  /// The number of the rule for each parameter: 0, or that of its group.
  private static func rules(
    of model: [(path: String, parameter: Parameter)], in optimization: Optimization
  ) throws -> [Int] {
    let rules = model.map { path, parameter in
      1 + (optimization.groups.firstIndex { $0.filter.matches(path, parameter) } ?? -1)
    }
    for (index, group) in optimization.groups.enumerated() where !rules.contains(index + 1) {
      // Those of earlier groups are not its own.
      throw group.filter.meansNothing(in: zip(model, rules).filter { $1 == 0 }.map(\.0.path))
    }
    return rules
  }

  /// `vector` with other values at some places.
  private static func putting(_ pieces: [(place: Place, value: NDArray)], in vector: NDArray) -> NDArray {
    var all = vector.values(as: Float.self)
    for (place, value) in pieces { all.replaceSubrange(place.range, with: value.values(as: Float.self)) }
    return NDArray(all, shape: vector.shape)
  }
}

// MARK: - The update

extension ParameterArena {
  /// Appends the gradients of `scale` times the sum of `loss`, the transforms, and the optimizer's update.
  ///
  /// The factor is part of the update's expression, where it costs no launch.
  ///
  /// - Returns: the inputs to be fed with what `appendValues` appends, in order.
  @discardableResult
  package func appendUpdate(to graph: Graph, loss: Tensor, scale: Double = 1) -> [Tensor] {
    guard !places.isEmpty else {
      graph.fail("there is nothing to train: the model has no parameter, or all are frozen")
      return []
    }
    let gradients = graph.gradients(of: loss, with: places.map { graph.parameter($0.parameter) })
    var changed = Gradients(self, packed: pack(gradients, in: graph), scale: scale)
    var fed: [Tensor] = []
    func feed(_ count: Int) -> [Tensor] {
      let inputs = (fed.count..<(fed.count + count)).map { graph.feed("optimizer.value\($0)", shape: []) }
      fed += inputs
      return inputs
    }
    func valueCount(_ append: (inout [Double]) -> Void) -> Int {
      var values: [Double] = []
      append(&values)
      return values.count
    }
    let ruleValues = segments.map { segment in
      feed(valueCount { optimization.rules[segment.rule].appendValues(step: 1, to: &$0) })
    }
    var state = 1 + optimization.optimizer.stateNames.count
    for transform in optimization.transforms {
      changed.begin(
        states: state..<(state + transform.states.count),
        values: feed(valueCount { transform.appendValues(step: 1, update: 1, to: &$0) }))
      transform.apply(to: &changed)
      state += transform.states.count
    }
    for (segment, values) in zip(segments, ruleValues) { append(segment, changed, values, to: graph) }
    return fed
  }

  /// A tensor for each parameter, side by side as they are.
  func pack(_ tensors: [Tensor], in graph: Graph) -> Tensor {
    graph.pack(tensors, offsets: places.map(\.offset), count: count)
  }

  private func append(_ segment: Segment, _ gradients: Gradients, _ values: [Tensor], to graph: Graph) {
    let firstValue = vectors.count + gradients.readings.count
    let rule = optimization.rules[segment.rule].rule(
      RuleInputs(
        parameter: .input(0), gradient: gradients.element,
        states: optimization.optimizer.stateNames.indices.map { .input(1 + $0) },
        values: values.indices.map { .input(firstValue + $0) }))
    let readings = gradients.readings.map { tensor in
      tensor.shape == [count] && segment.range.count < count
        ? slice(tensor, starts: [segment.range.lowerBound], sizes: [segment.range.count]) : tensor
    }
    graph.update(
      segment.boxes, reading: readings + values, gradients.next([rule.parameter] + rule.states))
  }

  /// Appends the numbers of step `step`, 1 for the first, that the update reads.
  package func appendValues(of optimization: Optimization, step: Int, to values: inout [Double]) {
    let update = optimization.update(at: step)
    for segment in segments { optimization.rules[segment.rule].appendValues(step: update, to: &values) }
    for transform in optimization.transforms { transform.appendValues(step: step, update: update, to: &values) }
  }
}

// MARK: - What is kept

extension ParameterArena {
  /// What the optimizer and the transforms keep of each trained parameter, as checkpoints name it:
  /// `optimizer.momentum.dense.bias`.
  package var stateTypes: [(name: String, type: TensorType)] {
    stateTypes(of: places.map { ($0.path, $0.parameter) })
  }

  /// What they would keep of `parameters`.
  package func stateTypes(
    of parameters: [(path: String, parameter: Parameter)]
  ) -> [(name: String, type: TensorType)] {
    vectors.dropFirst().flatMap { vector in
      parameters.map { (name(vector, $0.path), TensorType(shape: $0.parameter.shape)) }
    }
  }

  private func name(_ vector: Parameter, _ path: String) -> String { "\(vector.name).\(path)" }

  /// The values of `stateTypes`; waits for the device.
  package func states() throws -> [(name: String, value: NDArray)] {
    try vectors.dropFirst().flatMap { pieces(of: $0, try $0.value()) }
  }

  /// The states in `value` if it is a whole vector, as older checkpoints have them; else `value` itself.
  package func pieces(_ name: String, _ value: NDArray) -> [(name: String, value: NDArray)] {
    guard let vector = vectors.first(where: { $0.name == name }), value.shape == [count] else { return [(name, value)] }
    return pieces(of: vector, value)
  }

  private func pieces(of vector: Parameter, _ values: NDArray) -> [(name: String, value: NDArray)] {
    places.map { (name(vector, $0.path), values.rows($0.range).reshaped($0.parameter.shape)) }
  }

  /// Replaces those of the states whose name is in `values`.
  package func setStates(_ values: [String: NDArray]) throws {
    for vector in vectors.dropFirst() {
      let known = places.compactMap { place in values[name(vector, place.path)].map { (place, $0) } }
      if !known.isEmpty { try vector.assign(Self.putting(known, in: vector.value())) }
    }
  }

  /// The state that stands for the trained weights in evaluation, where a transform keeps one.
  package var standInName: String? { count > 0 ? standIn.map { vectors[$0].name } : nil }

  /// The weights and what stands for them in evaluation change places.
  package func exchangeStandIn() throws {
    guard let standIn, count > 0 else { return }
    if exchange == nil {
      let graph = Graph()
      graph.update([vectors[0], vectors[standIn]], reading: [], [.input(1), .input(0)])
      exchange = try session.compile(graph)
    }
    try exchange!.run()
  }
}
