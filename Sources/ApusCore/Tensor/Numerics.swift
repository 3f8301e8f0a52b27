/// What every device does with numbers that are not finite, and where a derivative has no one value.
///
/// Values follow PyTorch. Derivatives at a NaN do not throughout: `relu`, `abs` and a maximum over an axis have 0
/// there, and of several NaN in a pooling window the first one takes the gradient.
///
/// - A NaN counts as the greatest number: it is the result of a maximum over an axis or a window, `argMax` gives the
///   first one of its row, and a pooling window's gradient goes to the first one.
/// - Of equal maxima the first one, in row-major order, is `argMax`, and takes a pooling window's gradient.
/// - Activations of NaN are NaN.
/// - Softmax and its logarithm of a row with NaN, with +infinity, or with -infinity alone are NaN throughout the row or
///   where it counts; beside finite logits, -infinity has probability 0 and log-probability -infinity.
/// - Cross entropy with class numbers looks at the label's logit alone: -infinity elsewhere adds nothing. With
///   probabilities each class counts, so that a target of 0 at a logit of -infinity makes the loss NaN; with label
///   smoothing it is +infinity. The gradient is finite in each case.
/// - A class number outside `0..<classes` makes its row's loss and gradient NaN. What reads labels from files or host
///   arrays refuses them before that; a step of one's own, whose labels are plain inputs, sees it in the loss.
/// - At a kink the derivative is the one that frameworks agree on: ReLU and `abs` have 0 at 0, ELU `alpha`.
///
/// Subnormal numbers may be taken for 0.
public enum Numerics {}

extension Double {
  /// The number as text; what is not a number is `nan` whatever its bits, of which Swift prints a payload.
  package var text: String { isNaN ? "nan" : "\(self)" }
}
