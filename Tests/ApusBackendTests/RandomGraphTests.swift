import ApusCore
import Foundation
import Testing

extension BackendTests {
  @Suite(.serialized) struct RandomGraphTests {
    /// Graphs whatever they are: fused and planned, node by node, and checked they agree with the reference in float64.
    ///
    /// OpenCL compiles about 20 kernels for each; `APUS_TEST_GRAPHS` of them in a long run.
    @Test(arguments: TestBackend.allCases) func everyWayToRunAgrees(_ backend: TestBackend) throws {
      let wanted = ProcessInfo.processInfo.environment["APUS_TEST_GRAPHS"].flatMap { Int($0) }
      var checked = CompileOptions()
      checked.checksNumbers = true
      for number in 0..<(wanted ?? (backend == .cpu ? 300 : 6)) {
        let exact = try RandomGraph(number, .float64)
        let expected = try TestBackend.reference().compile(exact.graph, outputs: exact.outputs, options: .plain)(
          exact.values, outputs: exact.outputs.count)
        let random = try RandomGraph(number, .float32)
        for (way, options) in [("fused", CompileOptions()), ("plain", .plain), ("checked", checked)] {
          let results = try backend.session().compile(random.graph, outputs: random.outputs, options: options)(
            random.values, outputs: random.outputs.count)
          for (index, (result, truth)) in zip(results, expected).enumerated() {
            // Some gradients are 0 but for rounding: those of what a normalization takes off again.
            let norm = truth.doubles.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let error = Numerics.relativeError(result.doubles, truth.doubles, of: [max(norm, 0.1)])
            #expect(error <= 2e-4, "graph \(number), \(way), output \(index): relative error \(error)\n\(random.graph)")
          }
        }
      }
    }
  }
}
