import ApusCore
import Foundation
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
    /// own, within 1e-5 * sqrt(terms summed).
    @Test(arguments: TestBackend.allCases, opCases)
    func matchesReference(_ backend: TestBackend, _ test: OpCase) throws {
      let expected = try test.run(on: TestBackend.reference(), options: .plain)
      let results = try test.run(on: backend.session())
      let tolerance = 1e-5 * Double(test.reductionLength).squareRoot()
      for (index, (result, truth)) in zip(results, expected).enumerated() {
        let error = relativeError(result, truth)
        let what = index == 0 ? "result" : "gradient \(index - 1)"
        #expect(error <= tolerance, "\(what): relative error \(error)")
        if truth.dtype == .int32 { #expect(result == truth) }
      }
    }

    /// What inference makes of a convolution and a pooling agrees with the reference.
    @Test(arguments: TestBackend.allCases, pooledConvolutionCases)
    func poolsConvolutions(_ backend: TestBackend, _ test: OpCase) throws {
      let traced = try test.traced(.float32, gradients: false)
      let expected = try TestBackend.reference().compile(traced.graph, outputs: traced.outputs, options: .plain)(
        traced.values)[0]
      let result = try backend.session().compile(traced.graph, outputs: traced.outputs)(traced.values)[0]
      let error = relativeError(result, expected)
      #expect(error <= 1e-5 * Double(test.reductionLength).squareRoot(), "relative error \(error)")
    }

    /// Without fusion and memory reuse, the same numbers. OpenCL compiles each kernel for it: there, networks only.
    @Test(arguments: TestBackend.allCases, opCases)
    func isUnchangedByFusionAndPlanning(_ backend: TestBackend, _ test: OpCase) throws {
      guard backend == .cpu || networkCases.contains(test.name) else { return }
      let fused = try test.run(on: backend.session())
      let unfused = try test.run(on: backend.session(), options: .plain)
      let tolerance = 1e-5 * Double(test.reductionLength).squareRoot()
      for (a, b) in zip(fused, unfused) { #expect(relativeError(a, b) <= tolerance) }
    }

    /// The same inputs twice give the same bits.
    @Test(arguments: TestBackend.allCases, opCases)
    func isDeterministic(_ backend: TestBackend, _ test: OpCase) throws {
      let traced = try test.traced(.float32)
      let executable = try backend.session().compile(traced.graph, outputs: traced.outputs)
      let first = try executable(traced.values, outputs: traced.outputs.count)
      let second = try executable(traced.values, outputs: traced.outputs.count)
      #expect(first == second)
    }

    /// Symbolic gradients against central differences, in float64 on the reference.
    @Test(arguments: opCases) func gradientMatchesFiniteDifferences(_ test: OpCase) throws {
      guard test.inputs.contains(where: \.isDifferentiable) else { return }
      let session = try TestBackend.reference()
      let traced = try test.traced(.float64)
      let gradients = try session.compile(traced.graph, outputs: traced.outputs)(
        traced.values, outputs: traced.outputs.count
      ).dropFirst()
      let forward = try session.compile(traced.graph, outputs: [traced.outputs[0]])
      let weights = OpCase.Input(shape: traced.outputs[0].shape, values: .fixed(-1...1)).array(stream: 99, .float64)

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
