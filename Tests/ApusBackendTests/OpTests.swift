import ApusCases
import ApusCore
import Testing

extension CompileOptions {
  /// One kernel a node, and memory of its own for each.
  static var plain: CompileOptions {
    var options = CompileOptions()
    options.fuses = false
    options.reusesMemory = false
    return options
  }
}

extension BackendTests {
  @Suite(.serialized) struct OpTests {
    /// Forward and gradients, fused and planned, agree with the reference, which runs node by node in memory of their
    /// own.
    @Test(arguments: TestBackend.allCases, CaseCatalog.all)
    func matchesReference(_ backend: TestBackend, _ test: OperationCase) throws {
      let expected = try test.run(on: TestBackend.reference(), options: .plain)
      #expect(try test.compare(test.run(on: backend.session()), with: expected).flaws == [])
    }

    /// Without fusion and memory reuse, the same numbers. OpenCL compiles each kernel for it: there, networks only.
    @Test(arguments: TestBackend.allCases, CaseCatalog.all)
    func isUnchangedByFusionAndPlanning(_ backend: TestBackend, _ test: OperationCase) throws {
      guard backend == .cpu || test.uses.contains(.unfused) else { return }
      let unfused = try test.run(on: backend.session(), options: .plain)
      #expect(try test.compare(test.run(on: backend.session()), with: unfused).flaws == [])
    }

    /// The same inputs twice give the same bits.
    @Test(arguments: TestBackend.allCases, CaseCatalog.all)
    func isDeterministic(_ backend: TestBackend, _ test: OperationCase) throws {
      let run = try test.traced().compiled(on: backend.session())
      let first = try run()
      #expect(try run() == first)
    }

    /// Symbolic gradients against central differences, in float64 on the reference.
    @Test(arguments: CaseCatalog.all) func gradientMatchesFiniteDifferences(_ test: OperationCase) throws {
      guard test.inputs.contains(where: \.isDifferentiable) else { return }
      let session = try TestBackend.reference()
      let traced = try test.traced(.float64)
      let gradients = try session.compile(traced.graph, outputs: traced.outputs)(
        traced.values, outputs: traced.outputs.count
      ).dropFirst()
      let forward = try session.compile(traced.graph, outputs: [traced.outputs[0]])
      let weights = OperationCase.weights(traced.outputs[0].shape, .float64)

      func loss(_ values: [NDArray]) throws -> Double {
        let result = try forward(values)[0]
        return zip(result.doubles, weights.doubles).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let differentiable = test.inputs.indices.filter { test.inputs[$0].isDifferentiable }
      for (input, gradient) in zip(differentiable, gradients) {
        let original = traced.values[input].values(as: Double.self)
        let scale = max(gradient.doubles.map(Swift.abs).max() ?? 0, 1e-3)
        // A spread of positions: all of small inputs, some of large ones.
        for position in stride(from: 0, to: original.count, by: max(1, original.count / 24)) {
          let step = 1e-5
          func shifted(_ by: Double) throws -> Double {
            var moved = original
            moved[position] += by
            var values = traced.values
            values[input] = NDArray(moved, shape: traced.values[input].shape)
            return try loss(values)
          }
          let numeric = (try shifted(step) - shifted(-step)) / (2 * step)
          let symbolic = gradient.doubles[position]
          #expect(
            Swift.abs(numeric - symbolic) <= 1e-3 * max(scale, Swift.abs(numeric)),
            "input \(input)[\(position)]: symbolic \(symbolic), numeric \(numeric)")
        }
      }
    }
  }
}
