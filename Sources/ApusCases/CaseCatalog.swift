/// Every operation, in the shapes that break kernels: odd sizes, tails, borders, one element, all attributes.
///
/// A case is a line in the list of its family. The tests run all of them on every backend, against the reference and
/// finite differences; `OperationCase.Uses` tells who else does.
package enum CaseCatalog {
  package static let all: [OperationCase] =
    pointwise + random + product + convolution + pooling + reduction + normalization + softmax + loss + shaping + gather
    + augment
    + update
}
