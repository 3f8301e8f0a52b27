#if OpenCL
  import ApusCore
  import ApusDevices
  import Foundation
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    /// The GPU-class kernels on Oclgrind, which interprets them work-item by work-item and writes races of work-items,
    /// accesses outside of buffers and reads of what nothing wrote into its log. `Scripts/test-kernels` runs these tests
    /// and fails when the log is not empty; without its `APUS_TEST_OCLGRIND=1` they do not run.
    @Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["APUS_TEST_OCLGRIND"] == "1"))
    struct CheckedKernelTests {
      /// A session on Oclgrind that is told of `units` compute units: with several, sums are cut into parts.
      private func session(units: Int) throws -> BackendSession<ApartBackend> {
        var device = try #require(OpenCLDevice.all().first { $0.platformName == "Oclgrind" }, "Oclgrind is not there")
        device.description.computeUnits = units
        #expect(device.kernelClass == .gpu)
        return BackendSession(ApartBackend(try OpenCLBackend(device, cacheFolder: nil)))
      }

      /// All kernels of all families, with the right results.
      @Test func everyKernelRunsClean() throws {
        let (whole, cut) = (try session(units: 1), try session(units: 64))
        let reference = try Device.reference.openSession()
        for result in SelfTest.run(on: cut, against: reference) {
          #expect(result.failures.isEmpty, "\(result.family)")
        }
        // Sums that stay whole, in the large tiles of few work-groups.
        try checkGradients([1, 5, 4, 3], [2, 3, 3, 5], on: whole, against: reference) { conv2D($0, $1, padding: .same) }
        try checkGradients([7, 9], [9, 5], on: whole, against: reference) { matMul($0, $1) }
        // Sums that are long enough to be cut, along rows and along columns.
        try checkSumOfOnes([1, 33000], axis: 1, on: cut)
        try checkSumOfOnes([5000, 7], axis: 0, on: cut)
        try checkSumOfOnes([5000, 7], axis: 0, on: cut) { channelSum(.input(0) * .input(0), [$0]) }

        let entries = whole.backend.entries.union(cut.backend.entries)
        #expect(entries.sorted() == Self.entries)
      }

      /// The entry points of `kernels/*.cl` that GPU-class devices run.
      private static let entries = [
        "augment", "channel_sums", "conv2d_filter_gradient", "conv2d_filter_gradient_finish",
        "conv2d_filter_gradient_partial",
        "conv2d_forward",
        "conv2d_forward_finish", "conv2d_forward_partial", "conv2d_input_gradient", "conv2d_input_gradient_finish",
        "conv2d_input_gradient_partial", "gather_gradient", "gather_rows", "gemm", "gemm_finish", "gemm_partial",
        "normalize_forward", "normalize_gradients", "normalize_sums", "pointwise", "pool2d_forward", "pool2d_gradient",
        "reduce_argmax", "reduce_direct", "reduce_finish",
        "reduce_partial", "reduce_strided", "shaping_copy", "shaping_pad", "shaping_transpose",
        "softmax_cross_entropy", "softmax_cross_entropy_gradient", "softmax_forward", "softmax_log", "sum_parts",
      ]

      /// `body` of two inputs and its gradients agree with the reference.
      private func checkGradients(
        _ first: [Int], _ second: [Int], on session: any Session, against reference: any Session,
        _ body: (Tensor, Tensor) -> Tensor
      ) throws {
        let graph = Graph()
        let (x, w) = (graph.input("x", shape: first), graph.input("w", shape: second))
        let outputs = try graph.trace { graph in
          let y = body(x, w)
          return [y] + graph.gradients(of: reduceSum(y * y), with: [x, w])
        }
        let values = [first, second].map { shape in
          NDArray((0..<shape.elementCount).map { Float($0 * 7 % 11) - 5 }, shape: shape)
        }
        let results = try session.compile(graph, outputs: outputs)(values, outputs: 3)
        // Small whole numbers: every order of sums gives the same.
        #expect(try results == reference.compile(graph, outputs: outputs)(values, outputs: 3))
      }

      private func checkSumOfOnes(
        _ shape: [Int], axis: Int, on session: any Session, _ body: ((Tensor) -> Tensor)? = nil
      ) throws {
        let graph = Graph()
        let x = graph.input("x", shape: shape)
        let sum = body?(x) ?? reduceSum(x, axes: [axis])
        let ones = NDArray([Float](repeating: 1, count: shape.elementCount), shape: shape)
        let result = try session.compile(graph, outputs: [sum])([ones])[0]
        #expect(result.doubles.allSatisfy { $0 == Double(shape[axis]) })
      }
    }
  }

  /// An OpenCL backend on which every value has a buffer of its own of exactly its size, so that no kernel can step
  /// outside of one unseen. Buffers live as long as the backend: Oclgrind takes new ones at old addresses for old ones.
  private final class ApartBackend: Backend {
    let base: OpenCLBackend
    let device: DeviceDescription
    private var buffers: [OpenCLBuffer] = []
    /// Names of the kernels bound so far.
    private(set) var entries: Set<String> = []

    init(_ base: OpenCLBackend) {
      self.base = base
      var device = base.device
      // No two values fit into one block, and nothing is rounded up.
      device.maximumAllocationBytes = 1
      device.alignment = 1
      device.batchTileBytes = .max
      self.device = device
    }

    func allocate(_ byteCount: Int) throws(BackendError) -> OpenCLBuffer {
      let buffer = try base.allocate(byteCount)
      buffers.append(buffer)
      return buffer
    }
    func slice(_ buffer: OpenCLBuffer, _ range: Range<Int>) throws(BackendError) -> OpenCLBuffer {
      // A value has all of a buffer, or is a piece of the value that has.
      try base.slice(buffer, range)
    }
    func copy(_ bytes: UnsafeRawBufferPointer, to buffer: OpenCLBuffer) throws(BackendError) {
      try base.copy(bytes, to: buffer)
    }
    func copy(_ buffer: OpenCLBuffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
      try base.copy(buffer, to: bytes)
    }
    func prepare(_ request: KernelRequest) -> Prepared? {
      // Two results in one buffer.
      if case .normalization(let normalization) = request.op, normalization.pass == .gradients { return nil }
      return base.prepare(request)
    }
    func kernel(for invocation: Invocation<OpenCLBuffer>) throws(BackendError) -> OpenCLKernel {
      let kernel = try base.kernel(for: invocation)
      entries.formUnion(kernel.launches.map(\.entry))
      return kernel
    }
    func run(_ kernels: [OpenCLKernel]) throws(BackendError) { try base.run(kernels) }
    func profile(_ kernels: [OpenCLKernel]) throws(BackendError) -> [[RunProfile.Launch]] {
      try base.profile(kernels)
    }
  }
#endif
