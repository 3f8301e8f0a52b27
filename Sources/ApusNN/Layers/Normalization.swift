public import ApusCore

/// Layer normalization: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// Mean and biased variance are those of each sample over `axes`, in training and inference alike. Input and output have
/// one shape with at least one axis beside those; gamma and beta have the sizes of `axes`.
/// Names and defaults are Keras's; PyTorch's epsilon is 1e-5.
/// Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
public struct LayerNormalization: NamedLayer {
  /// Negative ones count from the last.
  public let axes: [Int]
  public let epsilon: Double
  public let gamma: Parameter?
  public let beta: Parameter?
  let layerName = LayerName()

  /// - Parameters:
  ///   - axes: what is normalised together.
  ///   - center: whether there is a `beta`.
  ///   - scale: whether there is a `gamma`.
  public init(axes: [Int], epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true) {
    self.axes = axes
    self.epsilon = epsilon
    gamma = scale ? Parameter("gamma") : nil
    beta = center ? Parameter("beta") : nil
  }

  /// Normalises one axis, the channels.
  public init(axis: Int = -1, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true) {
    self.init(axes: [axis], epsilon: epsilon, center: center, scale: scale)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let wanted = Set(axes.map { $0 < 0 ? $0 + x.rank : $0 }).sorted()
    guard !wanted.isEmpty, wanted.count == axes.count, wanted.count < x.rank,
      wanted.allSatisfy(x.shape.indices.contains)
    else {
      return x.graph.fail(
        "LayerNormalization: axes \(axes) of \(x.shape.shapeDescription): each must be one of 0..<\(x.rank), at most "
          + "once, and one must be left")
    }
    let kept = x.shape.indices.filter { !wanted.contains($0) }
    // The axes at the end, where they mostly are, and back.
    let order = kept + wanted
    var places = order
    for (place, axis) in order.enumerated() { places[axis] = place }
    let y = normalized(
      transpose(x, order), gamma, beta, shape: wanted.map { x.shape[$0] }, sampleAxes: kept.count, groups: 1, epsilon)
    return transpose(y, places)
  }
}

/// Group normalization: `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
///
/// Input and output `[N, ..., C]`. Mean and biased variance are those of each sample and each of the `groups` of
/// neighbouring channels, over the axes between and the channels of the group; gamma and beta are `[C]`.
/// Names and defaults are Keras's; PyTorch's epsilon is 1e-5.
/// Source: Wu and He, "Group normalization", ECCV 2018.
public struct GroupNormalization: NamedLayer {
  public let groups: Int
  public let epsilon: Double
  public let gamma: Parameter?
  public let beta: Parameter?
  let layerName = LayerName()

  /// - Parameters:
  ///   - groups: divides the channels; -1 for a group of each channel.
  ///   - center: whether there is a `beta`.
  ///   - scale: whether there is a `gamma`.
  public init(groups: Int = 32, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true) {
    self.groups = groups
    self.epsilon = epsilon
    gamma = scale ? Parameter("gamma") : nil
    beta = center ? Parameter("beta") : nil
  }

  public func forward(_ x: Tensor) -> Tensor {
    groupNormalized(x, gamma, beta, groups: groups, epsilon, "GroupNormalization")
  }
}

/// Instance normalization: group normalization with a group of each channel.
///
/// Input and output `[N, ..., C]`, at least one axis between; mean and biased variance are those of each channel of each
/// sample. Names and defaults are those of `GroupNormalization`; PyTorch's layer has no gamma and beta by default.
/// Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast stylization", 2016.
public struct InstanceNormalization: NamedLayer {
  public let epsilon: Double
  public let gamma: Parameter?
  public let beta: Parameter?
  let layerName = LayerName()

  /// - Parameters:
  ///   - center: whether there is a `beta`.
  ///   - scale: whether there is a `gamma`.
  public init(epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true) {
    self.epsilon = epsilon
    gamma = scale ? Parameter("gamma") : nil
    beta = center ? Parameter("beta") : nil
  }

  public func forward(_ x: Tensor) -> Tensor {
    guard x.rank > 2 else {
      return x.graph.fail(
        "InstanceNormalization: \(x.shape.shapeDescription) has no axis between the samples and the channels")
    }
    return groupNormalized(x, gamma, beta, groups: -1, epsilon, "InstanceNormalization")
  }
}

private func groupNormalized(
  _ x: Tensor, _ gamma: Parameter?, _ beta: Parameter?, groups: Int, _ epsilon: Double, _ layer: String
) -> Tensor {
  guard x.rank >= 2, let channels = x.shape.last else {
    return x.graph.fail("\(layer): the input \(x.shape.shapeDescription) has no axis beside the channels")
  }
  let number = groups == -1 ? channels : groups
  guard number >= 1, channels % number == 0 else {
    return x.graph.fail(
      "\(layer): \(groups) groups of the \(channels) channels of \(x.shape.shapeDescription): the number of groups must "
        + "divide that of the channels; give the layer another number of groups")
  }
  return normalized(x, gamma, beta, shape: [channels], sampleAxes: 1, groups: number, epsilon)
}

/// - Parameter shape: that of the parameters, the last axes of `x`.
private func normalized(
  _ x: Tensor, _ gamma: Parameter?, _ beta: Parameter?, shape: [Int], sampleAxes: Int, groups: Int, _ epsilon: Double
) -> Tensor {
  guard x.isValid else { return x }
  let count = shape.reduce(1, *)
  func weight(_ parameter: Parameter?, _ initializer: Initializer) -> Tensor? {
    parameter.map { x.graph.weight($0, shape: shape, initializer, fanIn: count, fanOut: count) }
  }
  return normalize(
    x, gamma: weight(gamma, .ones), beta: weight(beta, .zeros), sampleAxes: sampleAxes, channelAxes: shape.count,
    groups: groups, epsilon: epsilon)
}
