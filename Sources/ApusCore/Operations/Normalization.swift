/// Normalisation of groups of elements to mean 0 and variance 1, then scaled and shifted by channel; and its gradients.
///
/// `x` is seen as `[samples, positions, groups, width]`: its first `sampleAxes` axes are the samples, its last
/// `channelAxes` axes the channels, which are `groups * width`. Statistics are of one group of one sample, over its
/// positions and its width.
package struct Normalization: Hashable {
  package enum Pass: String, Hashable, Sendable {
    /// `y` from `x`, `gamma`, `beta`.
    case forward
    /// `dx` from `x`, `gamma`, `dy`.
    case inputGradient = "input gradient"
    /// `[dgamma, dbeta]` from `x`, `gamma`, `dy`.
    case parameterGradients = "parameter gradients"
    /// `dx` and, from `parameterStart` on, `[dgamma, dbeta]`: one vector, from `x`, `gamma`, `dy`. Compiling makes it.
    case gradients
  }

  /// Where the second part of `gradients` begins, behind `count` elements: where any device lets a view begin.
  package static func parameterStart(_ count: Int) -> Int { (count + 1023) / 1024 * 1024 }

  package let sampleAxes: Int
  package let channelAxes: Int
  package let groups: Int
  package let epsilon: Double
  package var pass = Pass.forward

  package func with(_ pass: Pass) -> Self {
    var other = self
    other.pass = pass
    return other
  }
}

extension Normalization: Operation {
  package var name: String { pass == .forward ? "normalize" : "normalize \(pass.rawValue)" }
  package var attributes: String {
    "\(sampleAxes) sample axes, \(groups) \(groups == 1 ? "group" : "groups"), epsilon \(epsilon)"
  }
  package var arity: Int? { 3 }

  package func batch(_ operands: [TensorType], _ result: TensorType, of count: Int) -> BatchRule {
    switch pass {
    case .forward: .rows([0])
    case .inputGradient: .rows([0, 2])
    case .parameterGradients: .sum([0, 2])
    case .gradients: .whole
    }
  }

  package func gradients(_ site: GradientSite) -> [Tensor?]? {
    guard pass == .forward else { return nil }
    let (x, gamma) = (site.inputs[0], site.inputs[1])
    let operands = [x, gamma, site.gradient]
    func append(_ pass: Pass, _ shape: [Int]) -> Tensor {
      site.graph.append(.normalization(with(pass)), operands, TensorType(shape: shape, dtype: x.dtype))
    }
    let channels = gamma.shape[0]
    let both = site.wanted[1] || site.wanted[2] ? append(.parameterGradients, [2, channels]) : nil
    let parameters = (0..<2).map { row -> Tensor? in
      guard site.wanted[1 + row], let both else { return nil }
      return reshape(slice(both, starts: [row, 0], sizes: [1, channels]), to: [channels])
    }
    return [site.wanted[0] ? append(.inputGradient, x.shape) : nil] + parameters
  }

  package func decomposition(_ inputs: [Tensor]) -> Tensor? {
    let (x, last) = (inputs[0], inputs[2])
    let sizes = Sizes(self, x.shape)
    // The first axis stays one, so that batches can go by parts.
    let rows = x.shape[0]
    let grouped = [rows, sizes.samples / max(rows, 1), sizes.positions, groups, sizes.width]
    func byChannel(_ parameter: Tensor) -> Tensor { reshape(parameter, to: [groups, sizes.width]) }
    func mean(_ tensor: Tensor) -> Tensor { reduceMean(tensor, axes: [2, 4], keepingAxes: true) }

    let parts = reshape(x, to: grouped)
    let difference = parts - mean(parts)
    let factor = pow(mean(difference * difference) + epsilon, -0.5)
    let normalized = difference * factor
    if pass == .forward {
      return reshape(normalized * byChannel(inputs[1]) + byChannel(last), to: x.shape)
    }
    let dy = reshape(last, to: grouped)
    if pass == .inputGradient {
      let dn = dy * byChannel(inputs[1])
      return reshape(factor * (dn - mean(dn) - normalized * mean(dn * normalized)), to: x.shape)
    }
    let channels = [rows, sizes.samples / max(rows, 1) * sizes.positions, sizes.channels]
    let (a, b) = (reshape(dy, to: channels), reshape(normalized, to: channels))
    let sums = [channelSum(.input(0) * .input(1), [a, b]), channelSum(.input(0), [a])]
    return concat(sums.map { reshape($0, to: [1, sizes.channels]) }, axis: 0)
  }
}

extension Normalization {
  /// How a shape falls into groups.
  package struct Sizes: Hashable, Sendable {
    package let samples, positions, groups, width: Int

    package var channels: Int { groups * width }
    /// Elements of a group of a sample.
    package var count: Int { positions * width }

    package init(_ normalization: Normalization, _ shape: [Int]) {
      samples = shape[..<normalization.sampleAxes].reduce(1, *)
      let channels = shape.suffix(normalization.channelAxes).reduce(1, *)
      positions = shape.dropFirst(normalization.sampleAxes).dropLast(normalization.channelAxes).reduce(1, *)
      groups = normalization.groups
      width = channels / max(groups, 1)
    }
  }
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and biased variance of each group of each
/// sample.
///
/// The first `sampleAxes` axes of `x` are the samples, the last `channelAxes` ones the channels, cut into `groups` of
/// neighbours. Statistics are over the axes between and the channels of a group: layer normalisation has none between
/// and one group.
///
/// - Parameters:
///   - gamma, beta: of as many elements as there are channels; 1 and 0 where not given.
public func normalize(
  _ x: Tensor, gamma: Tensor? = nil, beta: Tensor? = nil, sampleAxes: Int, channelAxes: Int = 1, groups: Int = 1,
  epsilon: Double
) -> Tensor {
  let graph = x.graph
  guard ([x] + [gamma, beta].compactMap { $0 }).allSatisfy(\.isValid) else { return Tensor(graph: graph, id: -1) }
  guard sampleAxes >= 1, channelAxes >= 1, sampleAxes + channelAxes <= x.rank, x.dtype.isFloatingPoint, epsilon >= 0
  else {
    return graph.fail(
      "normalize: \(sampleAxes) sample and \(channelAxes) channel axes of \(x.type), epsilon \(epsilon): there must be "
        + "at least one of both, apart, in a floating-point tensor, and epsilon at least 0")
  }
  let channels = x.shape.suffix(channelAxes).reduce(1, *)
  guard groups >= 1, channels % groups == 0, channels > 0 else {
    return graph.fail(
      "normalize: the \(channels) channels of \(x.shape.shapeDescription) are no \(groups) equal groups")
  }
  func parameter(_ given: Tensor?, _ value: Double) -> Tensor {
    if let given { return reshape(given, to: [channels]) }
    let values = [Double](repeating: value, count: channels)
    return graph.constant(NDArray(values, shape: [channels]).converted(to: x.dtype))
  }
  for given in [gamma, beta].compactMap({ $0 }) where given.type.count != channels || given.dtype != x.dtype {
    return graph.fail("normalize: gamma and beta must be \(x.dtype) of \(channels) elements, not \(given.type)")
  }
  let normalization = Normalization(
    sampleAxes: sampleAxes, channelAxes: channelAxes, groups: groups, epsilon: epsilon)
  return graph.append(.normalization(normalization), [x, parameter(gamma, 1), parameter(beta, 0)], x.type)
}
