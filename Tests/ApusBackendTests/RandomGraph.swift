import ApusCore
import Testing

/// A graph told by a number: a dozen operations of all kinds on values of odd sizes, some of which several others read,
/// with the gradients of a sum of all that nothing else reads.
struct RandomGraph {
  let graph: Graph
  /// Some values, then the gradient by each input of real numbers.
  let outputs: [Tensor]
  /// Values of the graph's inputs, in their order.
  let values: [NDArray]

  /// - Parameter real: type of the inputs that hold real numbers.
  init(_ number: Int, _ real: DType) throws {
    var builder = Builder(number, real)
    graph = builder.graph
    outputs = try graph.trace { _ in builder.build() }
    // The only input that has none is the state of dropout's random numbers.
    values = graph.inputs.map { builder.values[$0.name] ?? NDArray([11, 5] as [Int32], shape: [2]) }
  }
}

private struct Builder {
  let graph: Graph
  private let real: DType
  private var generator: PhiloxGenerator
  private(set) var values: [String: NDArray] = [:]
  private var differentiable: [Tensor] = []
  /// What may be read, and what has been.
  private var known: [Tensor] = []
  private var read: Set<Int> = []

  /// Elements of a value, so that the reference takes milliseconds.
  private static let most = 4000

  init(_ number: Int, _ real: DType) {
    graph = Graph(mode: .training, seed: UInt64(number))
    self.real = real
    generator = PhiloxGenerator(seed: UInt64(number), stream: 11)
  }

  mutating func build() -> [Tensor] {
    let batch = int(1...5)
    known = [
      input([batch, int(3...9), int(3...9), one([1, 2, 3, 5, 8, 16, 17])]),
      input([batch, one([1, 2, 7, 10, 16, 33])]),
    ]
    if one([0, 1]) == 0 { known.append(input(known[0].shape)) }
    let wanted = int(4...14)
    var misses = 0
    while known.count < wanted + 2, misses < 200 {
      if let value = operation(), value.shape.elementCount <= Self.most, value.shape.elementCount > 0 {
        known.append(value)
      } else {
        misses += 1
      }
    }
    let ends = known.filter { !read.contains($0.id) }
    let weights = ends.map { graph.constant(numbers($0.shape, -1...1)) }
    let losses = zip(ends, weights).map { reduceSum($0 * $1) }
    let loss = losses.dropFirst().reduce(losses[0], +)
    return [loss, one(known), ends.last!] + graph.gradients(of: loss, with: differentiable)
  }

  // MARK: Drawing

  private mutating func one<T>(_ choices: [T]) -> T { choices.randomElement(using: &generator)! }
  private mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  private mutating func numbers(_ shape: [Int], _ range: ClosedRange<Float>) -> NDArray {
    let span = range.upperBound - range.lowerBound
    let all = (0..<shape.elementCount).map { _ in range.lowerBound + span * generator.uniform() }
    return NDArray(all, shape: shape).converted(to: real)
  }

  /// An input of real numbers whose sums of `terms` products stay near 1.
  private mutating func input(_ shape: [Int], terms: Int = 1) -> Tensor {
    let bound = 1.5 / Float(terms).squareRoot()
    differentiable.append(declare(numbers(shape, -bound...bound)))
    return differentiable.last!
  }

  private mutating func labels(_ count: Int, below bound: Int) -> Tensor {
    declare(NDArray((0..<count).map { _ in Int32(int(0...(bound - 1))) }, shape: [count]))
  }

  private mutating func declare(_ value: NDArray) -> Tensor {
    let name = "x\(values.count)"
    values[name] = value
    return graph.input(name, shape: value.shape, dtype: value.dtype)
  }

  /// One of the values of that rank, the latest ones first; it counts as read.
  private mutating func value(rank: ClosedRange<Int> = 1...4, where fits: (Tensor) -> Bool = { _ in true }) -> Tensor? {
    let fitting = known.filter { rank.contains($0.rank) && fits($0) }
    guard !fitting.isEmpty else { return nil }
    let chosen = one([0, 1]) == 0 ? fitting.last! : one(fitting)
    read.insert(chosen.id)
    return chosen
  }

  // MARK: Operations

  /// `nil` where there is no value for the one that was drawn.
  private mutating func operation() -> Tensor? {
    switch int(0...25) {
    case 0...4: elementwise()
    case 5, 6: combination()
    case 7, 8: product()
    case 9...12: convolution()
    case 13, 14: pooling()
    case 15, 16: reduction()
    case 17, 25: normalization()
    case 18: rows()
    default: shaping()
    }
  }

  private mutating func elementwise() -> Tensor? {
    guard let x = value() else { return nil }
    switch int(0...6) {
    case 0: return one([Activation.relu, .leakyReLU(), .elu(), .selu])(x)
    case 1: return one([Activation.gelu, .silu, .sigmoid, .tanh, .softplus, .hardSwish])(x)
    case 2: return relu(x + input([x.shape.last!]))
    case 3: return dropout(x, rate: 0.3)
    case 4: return 0.5 * exp(-(x * x)) + 1
    case 5: return x * input([x.shape.last!]) + input([x.shape.last!])
    default: return x * one([0.5, -1, 1.5])
    }
  }

  private mutating func combination() -> Tensor? {
    guard let x = value(), let y = value(where: { $0.shape == x.shape }) else { return nil }
    switch int(0...4) {
    case 0: return relu(x + y)
    case 1: return 0.5 * x * y
    case 2: return maximum(x, y)
    case 3: return x - sigmoid(y)
    default: return x + y
    }
  }

  private mutating func product() -> Tensor? {
    guard let x = value(rank: 2...2) else { return nil }
    let (rows, columns) = (x.shape[0], x.shape[1])
    switch int(0...4) {
    case 0: return matMul(x, x, transposeB: true) * (1 / Double(columns))
    case 1: return matMul(x, input([one([1, 5, 12]), columns], terms: columns), transposeB: true)
    case 2: return matMul(x, input([rows, one([3, 20])], terms: rows), transposeA: true)
    default:
      let width = one([1, 7, 10, 16, 33])
      let y = matMul(x, input([columns, width], terms: columns)) + input([width])
      return one([0, 1]) == 0 ? relu(y) : y
    }
  }

  private mutating func convolution() -> Tensor? {
    guard let x = value(rank: 4...4) else { return nil }
    let channels = x.shape[3]
    let groups = one([1, 1, 1, channels])
    let filters = one([1, 3, 8, 16, 20])
    let (height, width) = one([(3, 3), (3, 3), (1, 1), (2, 3), (5, 5)])
    let stride = one([(1, 1), (1, 1), (2, 2), (1, 2)])
    let padding = one([Padding.valid, .same])
    guard padding == .same || height <= x.shape[1] && width <= x.shape[2] else { return nil }
    let kernel =
      groups == 1
      ? input([height, width, channels, filters], terms: height * width * channels)
      : input([height, width, 1, channels], terms: height * width)
    let y = conv2D(x, kernel, stride: stride, padding: padding, groups: groups)
    switch int(0...2) {
    case 0: return y
    case 1: return relu(y + input([y.shape[3]]))
    default:
      let residual = value(rank: 4...4) { $0.shape == y.shape }
      return residual.map { relu(y + $0) } ?? y
    }
  }

  private mutating func pooling() -> Tensor? {
    guard let x = value(rank: 4...4, where: { min($0.shape[1], $0.shape[2]) >= 3 }) else { return nil }
    let (size, stride) = one([(2, 2), (3, 2), (3, 1)])
    let padding = one([Padding.valid, .same])
    return one([0, 1]) == 0
      ? maxPool2D(x, size: size, stride: stride, padding: padding)
      : averagePool2D(x, size: size, stride: stride, padding: padding)
  }

  private mutating func reduction() -> Tensor? {
    guard let x = value(rank: 2...4) else { return nil }
    let axes = x.shape.indices.filter { _ in one([0, 1]) == 0 }
    guard !axes.isEmpty, axes.count < x.rank else { return nil }
    switch int(0...2) {
    case 0: return reduceMean(x, axes: axes, keepingAxes: one([true, false]))
    case 1: return reduceMax(x, axes: axes)
    default: return x - reduceMean(x, axes: axes, keepingAxes: true)
    }
  }

  private mutating func normalization() -> Tensor? {
    guard let x = value(rank: 2...4) else { return nil }
    let channels = x.shape.last!
    switch int(0...2) {
    case 0:
      return normalize(
        x, gamma: input([channels]), beta: input([channels]), sampleAxes: int(1...(x.rank - 1)), epsilon: 0.1)
    case 1:
      let groups = one((1...channels).filter { channels % $0 == 0 })
      return relu(normalize(x, gamma: input([channels]), sampleAxes: 1, groups: groups, epsilon: 0.1))
    default: break
    }
    let (mean, variance) = channelMoments(x)
    return relu((x - mean) * pow(variance + 0.1, -0.5) * input([x.shape.last!]))
  }

  private mutating func rows() -> Tensor? {
    guard let x = value(rank: 2...2) else { return nil }
    switch int(0...2) {
    case 0: return softmax(x)
    case 1: return logSoftmax(x)
    default: return softmaxCrossEntropy(x, labels: labels(x.shape[0], below: x.shape[1]))
    }
  }

  private mutating func shaping() -> Tensor? {
    guard let x = value(rank: 2...4) else { return nil }
    switch int(0...5) {
    case 0: return x.flattened()
    case 1: return transpose(x, Array(x.shape.indices).shuffled(using: &generator))
    case 2:
      let starts = x.shape.map { int(0...($0 - 1)) }
      let steps = x.shape.map { _ in one([1, 1, 2]) }
      let sizes = zip(zip(x.shape, starts), steps).map { int(1...(($0.0 - $0.1 - 1) / $1 + 1)) }
      return slice(x, starts: starts, sizes: sizes, steps: steps)
    case 3:
      guard let y = value(where: { $0.shape == x.shape }) else { return nil }
      return concat([x, y], axis: int(0...(x.rank - 1)))
    case 4:
      return pad(x, before: x.shape.map { _ in one([0, 1]) }, after: x.shape.map { _ in one([0, 2]) })
    default: return gather(x, labels(int(1...6), below: x.shape[0]))
    }
  }
}
