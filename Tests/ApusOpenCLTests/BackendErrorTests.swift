#if OpenCL
  import ApusCore
  import ApusNN
  import ApusOptimize
  import ApusTraining
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    @Suite struct BuildTests {
      @Test func aKernelThatDoesNotCompileIsExplained() throws {
        let backend = try openBackend()
        var defines: Defines = ["COUNT": 16, "WIDTH": 1]
        defines.append("this is not C;")
        let source = try KernelSource(["shaping"], defines, for: backend.context.device)
        let error = #expect(throws: BackendError.self) { try backend.programs.program(source) }
        #expect(error?.code == .buildFailure)
        let message = try #require(error?.message)
        for part in [
          backend.device.name, backend.device.driver, "shaping", source.options, "#define COUNT 16", "error",
        ] {
          #expect(message.contains(part), "'\(part)' is missing: \(message)")
        }
        // One failure does not spoil the backend.
        let graph = Graph()
        let executable = try BackendSession(backend).compile(graph, outputs: [graph.input("x", shape: [3]) + 1])
        #expect(try executable([NDArray([1, 2, 3] as [Float], shape: [3])])[0].doubles == [2, 3, 4])
      }

      @Test func aLongLogIsCut() throws {
        let backend = try openBackend()
        var defines: Defines = [:]
        for index in 0..<300 { defines.append("wrong\(index) is;") }
        let source = try KernelSource(["shaping"], defines, for: backend.context.device)
        let error = #expect(throws: BackendError.self) { try backend.programs.program(source) }
        let lines = try #require(error?.message).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 300 + 1 + 1 + 40, "\(lines.count) lines")
      }

      @Test func float64IsNotSupported() throws {
        let graph = Graph()
        let sum = graph.input("x", shape: [3], dtype: .float64) + 1
        let session = BackendSession(try openBackend())
        let error = #expect(throws: BackendError.self) { try session.compile(graph, outputs: [sum]) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("float64") == true && error?.message.contains("'cpu'") == true, "\(error!)")
      }
    }

    @Suite struct MemoryTests {
      private static let limit = 1 << 20

      @Test func moreThanTheLimitIsAnErrorAndLessIsNot() throws {
        let backend = try openBackend(memoryLimit: Self.limit)
        func isRefused(_ byteCount: Int) {
          let error = #expect(throws: BackendError.self) { try backend.allocate(byteCount) }
          #expect(error?.code == .outOfMemory)
          #expect(error?.requestedBytes == byteCount && error?.limitBytes == Self.limit, "\(error!)")
          #expect(error?.message.contains(byteCount.formattedBytes) == true, "\(error!)")
        }
        isRefused(2 * Self.limit)
        #expect(backend.allocatedBytes == 0)

        var kept: OpenCLBuffer? = try backend.allocate(Self.limit / 2)
        isRefused(Self.limit / 2 + 1)
        #expect(backend.allocatedBytes == Self.limit / 2)
        // A view keeps its parent, and costs nothing.
        var view: OpenCLBuffer? = try backend.slice(kept!, 0..<1024)
        kept = nil
        #expect(backend.allocatedBytes == Self.limit / 2 && view != nil)
        view = nil
        #expect(backend.allocatedBytes == 0)
        _ = try backend.allocate(Self.limit)
      }

      @Test func oneAllocationHasTheDevicesLimit() throws {
        let backend = try openBackend()
        let most = backend.device.maximumAllocationBytes
        let error = #expect(throws: BackendError.self) { try backend.allocate(most + 1) }
        #expect(error?.code == .outOfMemory && error?.requestedBytes == most + 1)
        #expect(error?.limitBytes == most, "\(error!)")
      }

      @Test func aPlanThatDoesNotFitLeavesNothingBehind() throws {
        let backend = try openBackend(memoryLimit: Self.limit)
        let session = BackendSession(backend)
        func square(_ size: Int) throws -> any Executable {
          let graph = Graph()
          let x = graph.input("x", shape: [size, size])
          return try session.compile(graph, outputs: [matMul(x, x)])
        }
        var plan: (any Executable)? = try square(64)
        #expect(backend.allocatedBytes == plan?.plannedBytes)
        let error = #expect(throws: BackendError.self) { try square(1024) }
        #expect(error?.code == .outOfMemory)
        #expect(backend.allocatedBytes == plan?.plannedBytes && session.allocatedBytes == plan?.plannedBytes)
        plan = nil
        #expect(backend.allocatedBytes == 0 && session.allocatedBytes == 0)
        _ = try square(128)
      }

      @Test func trainingNamesABatchSizeThatFits() throws {
        let session = BackendSession(try openBackend(memoryLimit: Self.limit))
        let trainer = try Trainer(
          Sequential {
            Conv2D(16, kernel: 3, activation: .relu)
            // Keeps the batch together on devices whose cache would have it worked on in parts.
            BatchNormalization()
            Flatten()
            Dense(1)
          },
          optimizer: SGD(), loss: .meanSquaredError, session: session)
        let (x, y) = (NDArray(zeros: [500, 8, 8, 1]), NDArray(zeros: [500, 1]))
        let error = #expect(throws: BackendError.self) {
          try trainer.fit(inputs: x, targets: y, batchSize: 500, progress: .none)
        }
        #expect(error?.code == .outOfMemory)
        let message = try #require(error?.message)
        let match = try #require(try /the batch size was 500, (\d+) would fit/.firstMatch(in: message), "\(message)")
        let batchSize = try #require(Int(match.1))
        #expect(batchSize > 8)
        try trainer.fit(inputs: x, targets: y, batchSize: batchSize, progress: .none)
      }
    }
  }
#endif
