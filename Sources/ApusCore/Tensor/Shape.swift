/// Shapes are plain `[Int]`, outermost axis first; images are NHWC.
extension Array where Element == Int {
  /// Product of the sizes, or `nil` when a size is negative or the product does not fit in an `Int`.
  ///
  /// Sizes of 0 count as 1 for the latter, so that the product of any part of a valid shape fits, too.
  public var checkedElementCount: Int? {
    var product = 1
    for size in self {
      guard size >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: Swift.max(size, 1))
      if overflow { return nil }
      product = next
    }
    return contains(0) ? 0 : product
  }

  /// Product of the sizes. The shape must be valid (see `checkedElementCount`).
  public var elementCount: Int { reduce(1, *) }

  /// Row-major strides in elements.
  public var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
    return strides
  }

  /// The shape as users read it: `28x28x1`; a scalar is `scalar`.
  public var shapeDescription: String { isEmpty ? "scalar" : map(String.init).joined(separator: "x") }
}

/// The sum, or `nil` when it does not fit in an `Int`.
func checkedSum(_ terms: Int...) -> Int? { checkedSum(terms) }

func checkedSum(_ terms: [Int]) -> Int? {
  var total = 0
  for term in terms {
    let (next, overflow) = total.addingReportingOverflow(term)
    if overflow { return nil }
    total = next
  }
  return total
}

/// The NumPy broadcast of two shapes, or `nil` when they do not fit.
package func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int]? {
  let rank = max(a.count, b.count)
  var result = [Int](repeating: 1, count: rank)
  for i in 0..<rank {
    let x = i < rank - a.count ? 1 : a[i - (rank - a.count)]
    let y = i < rank - b.count ? 1 : b[i - (rank - b.count)]
    if x == y || y == 1 {
      result[i] = x
    } else if x == 1 {
      result[i] = y
    } else {
      return nil
    }
  }
  return result
}
