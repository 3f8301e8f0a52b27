/// A traced computation: an append-only array of nodes, so always in topological order.
///
/// ```swift
/// let graph = Graph()
/// let x = graph.input("x", shape: [2, 3])
/// let y = relu(x * 2)
/// print(graph)                                     // one line a node
/// ```
public final class Graph {
  /// What layers that differ between the two (dropout, batch statistics) do.
  public enum Mode: Sendable { case training, inference }

  package struct Node {
    package var op: Op
    /// Operands of `op`, then those of the epilogue.
    package var inputs: [Int]
    package var type: TensorType
    /// The layer that appended it.
    package var label: String
    /// Applied to every element of the op's result: input 0 is the result, input i + 1 the i-th extra operand.
    package var epilogue: Expr? = nil
    /// Applied after the epilogue; `type` is that of the pooled result.
    package var pooling: FusedPooling? = nil
    package var parameter: Parameter? = nil
    /// Gradients do not pass to its inputs.
    package var stopsGradient = false

    package var operands: ArraySlice<Int> { inputs.prefix(op.arity ?? inputs.count) }
    package var epilogueOperands: ArraySlice<Int> { inputs.dropFirst(op.arity ?? inputs.count) }
    /// Type of the op's result, before a fused pooling.
    package var resultType: TensorType { pooling?.input ?? type }
  }

  public private(set) var mode: Mode
  /// Seed of the initial values of parameters that layers make while tracing.
  public let seed: UInt64
  package internal(set) var nodes: [Node] = []
  /// Names and nodes of the inputs, in the order of their declaration: the signature of the plan.
  package internal(set) var inputs: [(name: String, id: Int)] = []
  /// Those of `inputs` that were declared by `feed`.
  private var fed: Set<Int> = []
  private var randomStateNode: Tensor?
  /// Nodes of the values to be looked at, by name.
  package internal(set) var observations: [String: Int] = [:]
  /// Nodes with an effect; they run after everything else, in this order.
  package internal(set) var updates: [Int] = []
  /// The first mistake made while tracing.
  public private(set) var failure: GraphError?
  private var scopes: [String] = []
  /// Set while a summary traces a model.
  package var recorder: CallRecorder?
  private var parameterNodes: [ObjectIdentifier: Int] = [:]
  private var randomStreams: UInt32 = 0

  public init(mode: Mode = .inference, seed: UInt64 = 0) {
    self.mode = mode
    self.seed = seed
  }

  /// Appends what `body` appends as if the graph were one of `mode`.
  package func with<R>(_ mode: Mode, _ body: () -> R) -> R {
    let outer = self.mode
    self.mode = mode
    defer { self.mode = outer }
    return body()
  }

  /// Runs `body` and throws the first mistake that it made.
  public func trace<R>(_ body: (Graph) throws -> R) throws -> R {
    let result = try body(self)
    if let failure { throw failure }
    return result
  }

  // MARK: Leaves

  /// A value to be given at every run, in the order of declaration. A name declared again is the same input.
  public func input(_ name: String, shape: [Int], dtype: DType = .float32) -> Tensor {
    if let known = inputs.first(where: { $0.name == name && !fed.contains($0.id) }) {
      let tensor = Tensor(graph: self, id: known.id)
      guard tensor.type == TensorType(shape: shape, dtype: dtype) else {
        return fail(
          "input '\(name)' is \(tensor.type) already and cannot be \(TensorType(shape: shape, dtype: dtype)), too; "
            + "give one of them another name")
      }
      return tensor
    }
    return declare(name, shape, dtype)
  }

  /// An input that whoever runs the plan fills in, and knows by the tensor: a user's of the same name is another.
  package func feed(_ name: String, shape: [Int], dtype: DType = .float32) -> Tensor {
    let tensor = declare(name, shape, dtype)
    fed.insert(tensor.id)
    return tensor
  }

  private func declare(_ name: String, _ shape: [Int], _ dtype: DType) -> Tensor {
    let tensor = append(.input, [], TensorType(shape: shape, dtype: dtype), label: name)
    if tensor.isValid { inputs.append((name, tensor.id)) }
    return tensor
  }

  /// The position of `input` in the plan's signature.
  package func position(of input: Tensor) -> Int { inputs.firstIndex { $0.id == input.id }! }

  /// Where the inputs that were not declared by `feed` are in the plan's signature.
  package var declaredPositions: [Int] { inputs.indices.filter { !fed.contains(inputs[$0].id) } }

  /// The inputs that were not declared by `feed`: a user's own.
  package var declaredInputs: [(name: String, id: Int)] { inputs.filter { !fed.contains($0.id) } }

  /// A value that is part of the graph.
  public func constant(_ value: NDArray) -> Tensor {
    append(.constant(value), [], TensorType(shape: value.shape, dtype: value.dtype))
  }

  /// The parameter's value at the start of the run. The same box is the same node.
  public func parameter(_ parameter: Parameter) -> Tensor {
    if let id = parameterNodes[ObjectIdentifier(parameter)] { return Tensor(graph: self, id: id) }
    let tensor = append(.parameter, [], parameter.type, label: parameter.name)
    if tensor.isValid {
      nodes[tensor.id].parameter = parameter
      parameterNodes[ObjectIdentifier(parameter)] = tensor.id
    }
    return tensor
  }

  /// Seed and step (int32 [2]) from which random numbers of this run derive: an input of every graph that uses it.
  package var randomState: Tensor {
    if let randomStateNode { return randomStateNode }
    let state = feed("random_state", shape: [2], dtype: .int32)
    randomStateNode = state
    return state
  }

  /// Where `randomState` is in the plan's signature; `nil` for a graph without random numbers.
  package var randomStatePosition: Int? { randomStateNode.map(position) }

  /// A stream number that no other random operation of this graph has.
  package func nextRandomStream() -> UInt32 {
    defer { randomStreams += 1 }
    return randomStreams
  }

  /// The operands of the operation that made `tensor`.
  package func operands(of tensor: Tensor) -> [Tensor] {
    nodes[tensor.id].operands.map { Tensor(graph: self, id: $0) }
  }

  // MARK: Building

  /// Appends a node; sizes are checked for overflow here, once for all operations.
  package func append(_ op: Op, _ inputs: [Tensor], _ type: TensorType, label: String? = nil) -> Tensor {
    guard failure == nil, inputs.allSatisfy(\.isValid) else { return Tensor(graph: self, id: -1) }
    precondition(inputs.allSatisfy { $0.graph === self }, "\(op.name): operands of different graphs")
    guard let count = type.shape.checkedElementCount,
      !count.multipliedReportingOverflow(by: type.dtype.byteCount).overflow
    else {
      return fail("\(op.name): the result \(type.shape.shapeDescription) has more elements than memory can address")
    }
    nodes.append(Node(op: op, inputs: inputs.map(\.id), type: type, label: label ?? self.label))
    return Tensor(graph: self, id: nodes.count - 1)
  }

  /// Records the first mistake, with the layer it was made in, and returns the tensor that stands for it.
  @discardableResult
  public func fail(_ message: String) -> Tensor {
    if failure == nil { failure = GraphError(label: label, message: message) }
    return Tensor(graph: self, id: -1)
  }

  /// Runs `body` with `name`, if it is not empty, added to the label of the nodes it appends.
  public func scope<R>(_ name: String, _ body: () -> R) -> R {
    guard !name.isEmpty else { return body() }
    scopes.append(name)
    defer { scopes.removeLast() }
    return body()
  }

  package var label: String { scopes.joined(separator: ".") }
}

extension Graph: CustomStringConvertible {
  /// One line a node: `%7 = conv2D(%1, %2) stride 1x1 : float32[64, 26, 26, 32]  // conv2d`.
  public var description: String {
    nodes.indices.map { nodes[$0].line($0) }.joined(separator: "\n")
  }
}

extension Graph.Node {
  package func line(_ id: Int) -> String {
    let operands = inputs.map { "%\($0)" }.joined(separator: ", ")
    var text = "%\(id) = \(op.name)(\(operands))"
    let attributes = op.facts.attributes
    if !attributes.isEmpty { text += " \(attributes)" }
    if let epilogue { text += " then \(epilogue)" }
    if let pooling { text += " then pool2D \(pooling.attributes)" }
    text += " : \(type)"
    return label.isEmpty ? text : text + "  // \(label)"
  }
}
