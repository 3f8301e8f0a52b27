import ApusCore

/// A copy between two walks over memory of one shape: what transposing, slicing, padding and joining come down to.
struct StridedCopy {
  private let source: UnsafeMutableRawPointer
  private let target: UnsafeMutableRawPointer
  private let elementSize: Int
  /// All axes but the last two, the rows of the inner loop, and that loop.
  private let blocks: (source: View, target: View)
  private let rows: Axis, inner: Axis

  /// Elements, and how far apart they are.
  private struct Axis {
    var count = 1, source = 1, target = 1
  }

  /// Copies what `sourceView` walks over to where `targetView` does; both are of one shape.
  init(
    elementSize: Int, from source: UnsafeMutableRawPointer, _ sourceView: View, to target: UnsafeMutableRawPointer,
    _ targetView: View
  ) {
    self.source = source + sourceView.offset * elementSize
    self.target = target + targetView.offset * elementSize
    self.elementSize = elementSize
    let views = View.merged([sourceView, targetView])
    var axes = zip(views[0].sizes, zip(views[0].strides, views[1].strides)).map {
      Axis(count: $0, source: $1.0, target: $1.1)
    }
    inner = axes.popLast() ?? Axis()
    rows = axes.popLast() ?? Axis()
    let sizes = axes.map(\.count)
    blocks = (View(sizes: sizes, strides: axes.map(\.source)), View(sizes: sizes, strides: axes.map(\.target)))
  }

  /// A closure that copies on all threads.
  func loop() -> () -> Void {
    switch elementSize {
    case 1: loop(of: UInt8.self)
    case 4: loop(of: UInt32.self)
    case 8: loop(of: UInt64.self)
    default: preconditionFailure("no element has \(elementSize) bytes")
    }
  }

  private func loop<T: BitwiseCopyable>(of type: T.Type) -> () -> Void {
    let from = source.assumingMemoryBound(to: T.self)
    let to = target.assumingMemoryBound(to: T.self)
    let (rows, inner, blocks) = (rows, inner, blocks)
    let count = blocks.source.sizes.elementCount * rows.count
    if count == 1 {
      return parallelLoop(over: inner.count, minimum: 32768) { range, _ in
        copyRun(
          from + range.lowerBound * inner.source, inner.source, to + range.lowerBound * inner.target, inner.target,
          range.count)
      }
    }
    // The rows are a loop of their own, so that offsets are worked out once for many runs.
    return parallelLoop(over: count, minimum: 16384 / max(inner.count, 1) + 1) { range, _ in
      var row = range.lowerBound
      while row < range.upperBound {
        let block = row / rows.count
        let end = min(range.upperBound, (block + 1) * rows.count)
        let a = from + blocks.source.element(block)
        let b = to + blocks.target.element(block)
        copyPlane(
          a + row % rows.count * rows.source, rows.source, inner.source, b + row % rows.count * rows.target,
          rows.target, inner.target, end - row, inner.count)
        row = end
      }
    }
  }
}

/// Rows of runs. Where the runs are scattered in the source, pieces of a few rows and columns keep its lines in the
/// cache.
private func copyPlane<T: BitwiseCopyable>(
  _ from: UnsafeMutablePointer<T>, _ fromRow: Int, _ fromStep: Int, _ to: UnsafeMutablePointer<T>, _ toRow: Int,
  _ toStep: Int, _ rows: Int, _ count: Int
) {
  let width = fromStep == 1 ? count : 16
  let height = fromStep == 1 ? rows : 16
  for firstRow in stride(from: 0, to: rows, by: max(height, 1)) {
    for first in stride(from: 0, to: count, by: max(width, 1)) {
      for row in firstRow..<min(firstRow + height, rows) {
        copyRun(
          from + row * fromRow + first * fromStep, fromStep, to + row * toRow + first * toStep, toStep,
          min(width, count - first))
      }
    }
  }
}

private func copyRun<T: BitwiseCopyable>(
  _ from: UnsafeMutablePointer<T>, _ fromStep: Int, _ to: UnsafeMutablePointer<T>, _ toStep: Int, _ count: Int
) {
  if fromStep == 1, toStep == 1 {
    to.update(from: from, count: count)
  } else {
    for i in 0..<count { to[i &* toStep] = from[i &* fromStep] }
  }
}
