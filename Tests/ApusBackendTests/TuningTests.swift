import ApusCases
import ApusCore
import Testing

extension BackendTests {
  /// Whatever a tuner chooses, the results stay.
  @Suite struct TuningTests {
    private static let backends = TestBackend.allCases
    /// Each with its gradients: shapes for Winograd, and for few channels.
    private static let cases = [
      OperationCase("conv2D", [3, 11, 14, 16], [3, 3, 16, 48], sums: 500) {
        relu(conv2D($0[0], $0[1], padding: .same))
      },
      OperationCase("strided", [2, 9, 12, 3], [3, 3, 3, 33], sums: 110) { conv2D($0[0], $0[1], stride: (2, 2)) },
      OperationCase("product", [70, 90], [90, 40], [40], sums: 90) { relu(matMul($0[0], $0[1]) + $0[2]) },
    ]

    /// The processor has one way for products.
    private static let pairs = backends.flatMap { backend in
      cases.filter { backend != .cpu || $0.name != "product" }.map { (backend, $0) }
    }

    @Test(arguments: pairs)
    func everyScheduleComputesTheSame(_ backend: TestBackend, _ test: OperationCase) throws {
      let session = try #require(try backend.session() as? any TunableSession)
      defer { session.tunable.schedules = [:] }
      let expected = try test.run(on: TestBackend.reference(), options: .plain)
      let choices = try choices(of: test, on: session)
      // Without oneDNN the processor has one way for a strided convolution.
      #expect(choices.count >= 2 || backend == .cpu && test.name == "strided")
      for position in 0..<(choices.map(\.schedules.count).max() ?? 0) {
        for choice in choices {
          session.tunable.schedules[choice.problem] = choice.schedules[min(position, choice.schedules.count - 1)]
        }
        let flaws = try test.compare(test.run(on: session), with: expected).flaws
        #expect(flaws == [], "\(session.tunable.schedules)")
      }
    }

    @Test(arguments: backends) func theListingNamesWhatWasChosen(_ backend: TestBackend) throws {
      let session = try #require(try backend.session() as? any TunableSession)
      defer { session.tunable.schedules = [:] }
      let test = Self.cases[0]
      let traced = try test.traced()
      for choice in try choices(of: test, on: session) {
        session.tunable.schedules[choice.problem] = choice.schedules.last!
        let listing = try session.compile(traced.graph, outputs: traced.outputs).listing
        #expect(listing.contains("  by \(choice.schedules.last!)\n"), "\(listing)")
      }
    }

    /// A file of another version of the program may name what there is no more.
    @Test(arguments: backends) func anUnknownScheduleIsTheDefault(_ backend: TestBackend) throws {
      let session = try #require(try backend.session() as? any TunableSession)
      defer { session.tunable.schedules = [:] }
      let test = Self.cases[0]
      let usual = try test.run(on: session)
      for choice in try choices(of: test, on: session) { session.tunable.schedules[choice.problem] = "no such" }
      #expect(try test.run(on: session) == usual)
    }

    private func choices(of test: OperationCase, on session: any TunableSession) throws -> [ScheduleChoice] {
      let traced = try test.traced()
      let executable = try session.compile(traced.graph, outputs: traced.outputs)
      _ = try executable(traced.values)
      return try executable.profile().operations.compactMap {
        session.tunable.scheduleChoice(for: $0.request)
      }
    }
  }
}
