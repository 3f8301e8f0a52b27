import ApusCore

/// A copy between two walks over memory of one shape: what transposing, slicing, padding and joining come down to.
struct StridedCopy {
  private let source: UnsafeMutableRawPointer
  private let target: UnsafeMutableRawPointer
  private let elementSize: Int
  /// Axes but the last, which is the inner loop. Sizes, then strides in elements.
  private let outerShape: [Int], outerSource: [Int], outerTarget: [Int]
  private let inner: Int, innerSource: Int, innerTarget: Int

  init(
    shape: [Int], elementSize: Int, from source: UnsafeMutableRawPointer, at sourceOffset: Int,
    strides sourceStrides: [Int],
    to target: UnsafeMutableRawPointer, at targetOffset: Int, strides targetStrides: [Int]
  ) {
    self.source = source + sourceOffset * elementSize
    self.target = target + targetOffset * elementSize
    self.elementSize = elementSize
    var (sizes, from, to) = ([Int](), [Int](), [Int]())
    for axis in shape.indices where shape[axis] != 1 {
      let (size, a, b) = (shape[axis], sourceStrides[axis], targetStrides[axis])
      if let (lastFrom, lastTo) = from.last.map({ ($0, to[to.count - 1]) }), lastFrom == a * size, lastTo == b * size {
        sizes[sizes.count - 1] *= size
        (from[from.count - 1], to[to.count - 1]) = (a, b)
      } else {
        sizes.append(size)
        from.append(a)
        to.append(b)
      }
    }
    inner = sizes.popLast() ?? (shape.elementCount == 0 ? 0 : 1)
    innerSource = from.popLast() ?? 1
    innerTarget = to.popLast() ?? 1
    (outerShape, outerSource, outerTarget) = (sizes, from, to)
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
    if outerShape.isEmpty {
      return parallelLoop(over: inner, minimum: 32768) { range, _ in
        copyRun(
          from + range.lowerBound * innerSource, innerSource, to + range.lowerBound * innerTarget, innerTarget,
          range.count)
      }
    }
    // The last outer axis is a loop of its own, so that offsets are worked out once for many runs.
    let (rows, rowSource, rowTarget) = (outerShape.last!, outerSource.last!, outerTarget.last!)
    let blocks = outerShape.dropLast().reduce(1, *)
    let (shape, blockSource, blockTarget) = (outerShape.dropLast(), outerSource.dropLast(), outerTarget.dropLast())
    return parallelLoop(over: blocks * rows, minimum: 16384 / max(inner, 1) + 1) { range, _ in
      var row = range.lowerBound
      while row < range.upperBound {
        let block = row / rows
        let end = min(range.upperBound, (block + 1) * rows)
        let a = from + stridedOffset(block, Array(shape), Array(blockSource))
        let b = to + stridedOffset(block, Array(shape), Array(blockTarget))
        copyPlane(
          a + row % rows * rowSource, rowSource, innerSource, b + row % rows * rowTarget, rowTarget, innerTarget,
          end - row, inner)
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
