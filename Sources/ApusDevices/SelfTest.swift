public import ApusCore

/// Checks a device's kernels against the reference implementation, family by family, on small shapes.
///
/// Drivers and their compilers have bugs; this tells in seconds whether a device computes what it should.
///
/// ```swift
/// for result in SelfTest.run(on: try Device(parsing: "opencl:0").openSession(), against: try Device.reference.openSession()) {
///   print(result.family.rawValue, result.passed ? "pass" : "FAIL")
/// }
/// ```
public enum SelfTest {
  /// Operations that share kernels.
  public enum Family: String, Sendable, Hashable, Codable, CaseIterable {
    case pointwise, random, convolution, product, pooling, reduction, normalization, softmax, loss, shaping, gather,
      update
  }

  /// What came out for one family.
  public struct Result: Sendable, Hashable, Codable {
    public let family: Family
    /// Number of graphs that were run and compared.
    public let caseCount: Int
    /// The largest relative error `|x - r| / |r|` (L2 norms of a whole result) of all cases.
    public let worstError: Double
    /// What failed, one line a case: the case and the error with its bound, or the device's message.
    public let failures: [String]

    public var passed: Bool { failures.isEmpty }
  }

  /// Runs all families. A device's error becomes a failure of the case that met it.
  ///
  /// - Parameters:
  ///   - session: The device to be checked.
  ///   - reference: What it is checked against; `Device.reference`.
  public static func run(
    on session: any Session, against reference: any Session, families: [Family] = Family.allCases
  ) -> [Result] {
    families.map { family in
      let cases = SelfTestCase.cases(of: family)
      var worst = 0.0
      var failures: [String] = []
      let progress = ProgressLine("Checking \(family.rawValue)", total: cases.count)
      for test in cases {
        progress?.next()
        do {
          let error = try test.relativeError(of: session, against: reference)
          // `max` would lose a NaN.
          if !(error <= worst) { worst = error }
          if !(error <= test.tolerance) {
            failures.append("\(test.name): relative error \(error), at most \(test.tolerance) is right")
          }
        } catch {
          failures.append("\(test.name): \(error)")
        }
      }
      return Result(family: family, caseCount: cases.count, worstError: worst, failures: failures)
    }
  }
}

/// A small graph with its inputs, to be run on two devices.
struct SelfTestCase {
  /// What a case computes: results, and parameters that the run changes.
  struct Traced {
    var outputs: [Tensor]
    var parameters: [Parameter] = []
  }

  let name: String
  /// Length of the longest sum behind one element of the result.
  let reductionLength: Int
  let inputs: [NDArray]
  let build: ([Tensor]) -> Traced

  /// Rounding errors of a sum of n terms grow like the root of n.
  var tolerance: Double { 1e-5 * Double(max(reductionLength, 1)).squareRoot() }

  /// The largest relative error over all results.
  func relativeError(of session: any Session, against reference: any Session) throws -> Double {
    let results = try zip(run(on: session), run(on: reference)).map { $0.relativeDistance(from: $1) }
    return results.contains(where: \.isNaN) ? .nan : results.max() ?? 0
  }

  private func run(on session: any Session) throws -> [NDArray] {
    let graph = Graph(mode: .training)
    let traced = try graph.trace { graph in
      build(inputs.enumerated().map { graph.input("x\($0)", shape: $1.shape, dtype: $1.dtype) })
    }
    let plan = try session.compile(graph, outputs: traced.outputs)
    for (index, input) in plan.inputs.enumerated() {
      // What is not one of the case's inputs is the seed and step of random numbers.
      let value = index < inputs.count ? inputs[index] : NDArray([11, 3] as [Int32], shape: input.type.shape)
      try plan.setInput(index, value)
    }
    try plan.run()
    return try traced.outputs.indices.map(plan.output) + traced.parameters.map(session.read)
  }
}

extension NDArray {
  /// `|x - r| / |r|` in L2 norms; the plain distance where the reference is zero.
  func relativeDistance(from reference: NDArray) -> Double {
    var distance = 0.0
    var length = 0.0
    for (x, r) in zip(doubles, reference.doubles) {
      distance += (x - r) * (x - r)
      length += r * r
    }
    return (length == 0 ? distance : distance / length).squareRoot()
  }
}
