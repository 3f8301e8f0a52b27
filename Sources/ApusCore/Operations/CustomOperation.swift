/// An operation of your own: what it is in other operations, and a kernel that computes it at once.
///
/// ```swift
/// let halfSquare = CustomOperation(
///   "halfSquare",
///   kernel: .init(
///     source: """
///       __kernel void half_square(__global const float *x, __global float *y) {
///         const int i = get_global_id(0);
///         y[i] = 0.5f * x[i] * x[i];
///       }
///       """, entry: "half_square") { _, result in [result.shape.reduce(1, *)] }
/// ) { 0.5 * $0[0] * $0[0] }
/// let y = halfSquare(x)
/// ```
///
/// The decomposition decides on the result's shape and type, is differentiated where no gradient is given, and runs on
/// devices without OpenCL. Make one object and use it everywhere.
public final class CustomOperation: Sendable {
  /// OpenCL C for one kind of work-item.
  public struct Kernel: Sendable {
    package let source: @Sendable (_ operands: [TensorType], _ result: TensorType) -> String
    package let entry: String
    package let global: @Sendable (_ operands: [TensorType], _ result: TensorType) -> [Int]
    package let local: [Int]?

    /// - Parameters:
    ///   - source: OpenCL C 1.2 with the kernel `entry`, whose arguments are pointers to the operands' elements in their
    ///     order and to those of the result.
    ///   - global: work-items along each of up to three dimensions, from the types of the operands and the result.
    ///   - local: work-items of a group along each dimension, which divide those; `nil` for groups of one.
    public init(
      source: String, entry: String, local: [Int]? = nil,
      global: @escaping @Sendable (_ operands: [TensorType], _ result: TensorType) -> [Int]
    ) {
      self.init(source: { _, _ in source }, entry: entry, local: local, global: global)
    }

    /// A source that depends on the shapes, such as one with definitions.
    public init(
      source: @escaping @Sendable (_ operands: [TensorType], _ result: TensorType) -> String, entry: String,
      local: [Int]? = nil, global: @escaping @Sendable (_ operands: [TensorType], _ result: TensorType) -> [Int]
    ) {
      self.source = source
      self.entry = entry
      self.local = local
      self.global = global
    }
  }

  public typealias Gradients = @Sendable (_ inputs: [Tensor], _ result: Tensor, _ gradient: Tensor) -> [Tensor?]

  public let name: String
  package let kernel: Kernel?
  let gradients: Gradients?
  let decomposition: @Sendable ([Tensor]) -> Tensor

  /// - Parameters:
  ///   - name: shown in listings and profiles.
  ///   - kernel: `nil` for what has none: the decomposition then runs everywhere.
  ///   - gradients: for each input its share of the result's gradient, `nil` for none; not given, the decomposition's.
  ///   - decomposition: the result in other operations, without random numbers.
  public init(
    _ name: String, kernel: Kernel? = nil, gradients: Gradients? = nil,
    decomposition: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.kernel = kernel
    self.gradients = gradients
    self.decomposition = decomposition
  }

  /// The operation of `inputs`, of which there is at least one. What its decomposition does not take is an error.
  public func callAsFunction(_ inputs: Tensor...) -> Tensor {
    guard let graph = inputs.first?.graph else { preconditionFailure("\(name): needs at least one tensor") }
    guard inputs.allSatisfy(\.isValid) else { return Tensor(graph: graph, id: -1) }
    let (inner, result) = Custom(self).traced(inputs.map(\.type))
    if let failure = inner.failure { return graph.fail("\(name): \(failure.message)") }
    guard inner.inputs.count == inputs.count else {
      return graph.fail("\(name): its decomposition draws random numbers, which it may not")
    }
    return graph.append(.custom(Custom(self)), inputs, result.type)
  }
}

/// A user's operation as a node's.
package struct Custom: Hashable, Operation {
  package let operation: CustomOperation

  init(_ operation: CustomOperation) { self.operation = operation }

  package static func == (a: Self, b: Self) -> Bool { a.operation === b.operation }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(operation)) }

  package var name: String { operation.name }
  package var arity: Int? { nil }
  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule { .whole }
  package func decomposition(_ inputs: [Tensor]) -> Tensor? { operation.decomposition(inputs) }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    if let gradients = operation.gradients { return gradients(site.inputs, site.result, site.gradient) }
    let result = operation.decomposition(site.inputs)
    let wanted = site.inputs.indices.filter { site.wanted[$0] }
    let shares = site.graph.gradients(of: reduceSum(result * site.gradient), with: wanted.map { site.inputs[$0] })
    var all = [Tensor?](repeating: nil, count: site.inputs.count)
    for (index, share) in zip(wanted, shares) { all[index] = share }
    return all
  }
}

extension Operation {
  /// The decomposition for operands of these types, in a graph of its own whose inputs they are.
  func traced(_ operands: [TensorType]) -> (graph: Graph, result: Tensor) {
    let graph = Graph()
    let inputs = operands.enumerated().map { graph.input("\($0)", shape: $1.shape, dtype: $1.dtype) }
    return (graph, decomposition(inputs) ?? graph.fail("\(name) has no decomposition"))
  }
}
