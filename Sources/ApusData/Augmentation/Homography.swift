import ApusCore

/// A projective map of the plane: from a pixel of the new picture to the place in the old one that it shows.
///
/// `(x, y)` maps to `((a x + b y + c) / z, (d x + e y + f) / z)` with `z = g x + h y + i`, in pixels, `x` to the right and
/// `y` down, the middle of the first pixel at `(0, 0)`.
public struct Homography: Sendable, Hashable {
  /// `a ... i`, row by row.
  public private(set) var elements: [Double]

  /// - Parameter elements: nine, row by row.
  public init(_ elements: [Double]) {
    precondition(elements.count == 9, "Homography: \(elements.count) elements; it has 9")
    self.elements = elements
  }

  public static let identity = Homography([1, 0, 0, 0, 1, 0, 0, 0, 1])

  /// The new picture shows what is `(dx, dy)` pixels further to the right and down.
  public static func shift(_ dx: Double, _ dy: Double) -> Homography { Homography([1, 0, dx, 0, 1, dy, 0, 0, 1]) }

  /// First `inner`, then `outer`, on the way from the new picture to the old one.
  public static func * (outer: Homography, inner: Homography) -> Homography {
    var product = [Double](repeating: 0, count: 9)
    for row in 0..<3 {
      for column in 0..<3 {
        for k in 0..<3 { product[row * 3 + column] += outer.elements[row * 3 + k] * inner.elements[k * 3 + column] }
      }
    }
    return Homography(product)
  }

  /// The same map around another origin: what it did at `(0, 0)` it does at `center`.
  public func around(_ center: (x: Double, y: Double)) -> Homography {
    .shift(center.x, center.y) * self * .shift(-center.x, -center.y)
  }

  /// The map that takes `corners` to `others`, each four points of which no three lie on a line; `nil` where there is
  /// none.
  public init?(from corners: [(x: Double, y: Double)], to others: [(x: Double, y: Double)]) {
    precondition(corners.count == 4 && others.count == 4, "Homography: a map is made from 4 points")
    // Two equations for each point, with i = 1.
    var rows: [[Double]] = []
    for (p, q) in zip(corners, others) {
      rows.append([p.x, p.y, 1, 0, 0, 0, -q.x * p.x, -q.x * p.y, q.x])
      rows.append([0, 0, 0, p.x, p.y, 1, -q.y * p.x, -q.y * p.y, q.y])
    }
    guard let solution = solved(rows) else { return nil }
    self.init(solution + [1])
  }

  /// `elements` with `i = 1`; `nil` where `(0, 0)` shows what is infinitely far away.
  var normalized: [Double]? {
    let scale = elements[8]
    let result = elements.map { $0 / scale }
    return result.allSatisfy { $0.isFinite && abs($0) < 1e9 } ? result : nil
  }

  /// Where the map is one of whole pixels, mirrored or not: the factors and offsets of x and y.
  var wholePixels: (turnX: Double, x: Double, turnY: Double, y: Double)? {
    let m = elements
    guard m[1] == 0, m[3] == 0, m[6] == 0, m[7] == 0, m[8] == 1, abs(m[0]) == 1, abs(m[4]) == 1,
      m[2] == m[2].rounded(), m[5] == m[5].rounded(), abs(m[2]) < 1e6, abs(m[5]) < 1e6
    else { return nil }
    return (m[0], m[2], m[4], m[5])
  }
}

/// Solves linear equations, the right side last in each row, by Gauss's elimination with row pivots.
private func solved(_ equations: [[Double]]) -> [Double]? {
  var rows = equations
  let n = rows.count
  for column in 0..<n {
    let pivot = (column..<n).max { abs(rows[$0][column]) < abs(rows[$1][column]) }!
    guard abs(rows[pivot][column]) > 1e-12 else { return nil }
    rows.swapAt(column, pivot)
    for row in 0..<n where row != column {
      let factor = rows[row][column] / rows[column][column]
      for k in column...n { rows[row][k] -= factor * rows[column][k] }
    }
  }
  return rows.indices.map { rows[$0][n] / rows[$0][$0] }
}
