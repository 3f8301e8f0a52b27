import ApusCases
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
    case pointwise, random, convolution, product, pooling, reduction, normalization, softmax, loss, shaping, gather
    case augment, update
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
      let cases = family.cases.filter { $0.uses.contains(.selfTest) }
      var worst = 0.0
      var failures: [String] = []
      let progress = ProgressLine("Checking \(family.rawValue)", total: cases.count)
      for test in cases {
        progress?.next()
        do {
          let (errors, flaws) = try test.compare(test.run(on: session), with: test.run(on: reference))
          // `max` would lose a NaN.
          for error in errors where !(error <= worst) { worst = error }
          if let first = flaws.first { failures.append("\(test.name): \(first)") }
        } catch {
          failures.append("\(test.name): \(error)")
        }
      }
      return Result(family: family, caseCount: cases.count, worstError: worst, failures: failures)
    }
  }
}

extension SelfTest.Family {
  fileprivate var cases: [OperationCase] {
    switch self {
    case .pointwise: CaseCatalog.pointwise
    case .random: CaseCatalog.random
    case .convolution: CaseCatalog.convolution
    case .product: CaseCatalog.product
    case .pooling: CaseCatalog.pooling
    case .reduction: CaseCatalog.reduction
    case .normalization: CaseCatalog.normalization
    case .softmax: CaseCatalog.softmax
    case .loss: CaseCatalog.loss
    case .shaping: CaseCatalog.shaping
    case .gather: CaseCatalog.gather
    case .augment: CaseCatalog.augment
    case .update: CaseCatalog.update
    }
  }
}
