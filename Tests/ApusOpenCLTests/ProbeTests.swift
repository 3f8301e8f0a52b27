#if OpenCL
  import ApusCore
  import ApusDevices
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    /// What a driver says it can do is believed only where a kernel found it to work.
    @Suite struct ProbeTests {
      private static let shuffle = "cl_khr_subgroup_shuffle"

      /// A backend with GPU-class kernels on the best device, whose list of extensions is `extensions`.
      private func backend(_ extensions: [String]) throws -> OpenCLBackend {
        var device = try OpenCLDevice.select(.best)
        device.kernelClass = .gpu
        device.extensions = extensions
        return try OpenCLBackend(device, cacheFolder: nil)
      }

      @Test func nothingIsAskedThatTheDriverDoesNotList() throws {
        let backend = try backend([])
        #expect(backend.subGroups == .none)
        #expect(backend.programs.untriedCount == 0)
      }

      /// pocl 3.1 has neither the functions nor NVIDIA's instruction: the kernels do without.
      @Test(arguments: [ProbeTests.shuffle, "cl_nv_device_attribute_query"])
      func aClaimThatIsFalseChangesNothing(_ claim: String) throws {
        guard try !OpenCLDevice.select(.best).extensions.contains(claim) else { return }
        let backend = try backend([claim])
        #expect(backend.subGroups == .none)
        let results = SelfTest.run(
          on: BackendSession(backend), against: try Device.reference.openSession(), families: [.softmax])
        for result in results { #expect(result.failures.isEmpty, "\(result.failures)") }
      }

      /// A probe that compiles and runs, but finds something else than it expects in some work-items.
      @Test func oneWorkItemIsEnoughToFail() throws {
        let backend = try backend([Self.shuffle])
        // Without sub-groups there is nothing to pass values with.
        let probe = Probe(
          files: ["group_tree", "probe_sub_groups"], defines: ["SUB_GROUPS": 0], requiredExtension: Self.shuffle)
        #expect(!probe.passes(on: backend))
      }

      /// Sums and maxima of rows of all lengths are the same, bit by bit, with sub-groups and without.
      @Test(.enabled("the device has no sub-groups") { try Self.hasSubGroups })
      func theOrderOfSumsIsTheSame() throws {
        let with: any Session = BackendSession(try backend(OpenCLDevice.select(.best).extensions))
        let without: any Session = BackendSession(try backend([]))
        for columns in [2, 5, 33, 100, 1000, 5000] {
          let shape = [7, columns]
          var random = PhiloxGenerator(seed: UInt64(columns), stream: 0)
          let x = NDArray((0..<shape.elementCount).map { _ in random.uniform() * 8 - 4 }, shape: shape)
          let graph = Graph()
          let input = graph.input("x", shape: shape)
          let outputs = [
            softmax(input), reduceSum(input, axes: [1]), reduceMax(input, axes: [1]), reduceSum(input, axes: [0]),
          ]
          let results = try [with, without].map { session in
            let executable = try session.compile(graph, outputs: outputs)
            return try executable([x], outputs: outputs.count)
          }
          #expect(results[0] == results[1], "\(columns) columns")
        }
      }

      private static var hasSubGroups: Bool {
        get throws {
          var device = try OpenCLDevice.select(.best)
          device.kernelClass = .gpu
          return try OpenCLBackend(device, cacheFolder: nil).subGroups != .none
        }
      }
    }
  }
#endif
