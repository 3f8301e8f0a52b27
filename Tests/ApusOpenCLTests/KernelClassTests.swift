#if OpenCL
  import ApusCore
  import ApusDevices
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    /// Which kernels a device gets, by what its driver tells of it.
    @Suite struct KernelClassTests {
      @Test(arguments: [
        // pocl, Intel's runtime; llvmpipe, whose lanes are work-items.
        (DeviceDescription.Kind.cpu, 16, OpenCLDevice.KernelClass.cpu), (.cpu, 4, .cpu), (.cpu, 1, .gpu),
        (.gpu, 1, .gpu), (.gpu, 4, .gpu), (.accelerator, 1, .gpu), (.accelerator, 16, .gpu),
      ])
      func isByKindAndVectors(_ kind: DeviceDescription.Kind, _ vectorWidth: Int, _ expected: OpenCLDevice.KernelClass)
      {
        #expect(OpenCLDevice.KernelClass(for: kind, vectorWidth: vectorWidth) == expected)
      }

      /// Without instructions that multiply and add at once the kernels do not call `fma`, and compute the same.
      @Test(arguments: [OpenCLDevice.KernelClass.cpu, .gpu])
      func withoutFusedMultiplyAddNoKernelCallsIt(_ kernelClass: OpenCLDevice.KernelClass) throws {
        var device = try OpenCLDevice.select(.best)
        device.kernelClass = kernelClass
        device.hasFusedMultiplyAdd = false
        #expect(try KernelSource([], [:], for: device).text.contains("#define fma(a, b, c) ((a) * (b) + (c))\n"))
        let session = BackendSession(try OpenCLBackend(device, cacheFolder: nil))
        let results = SelfTest.run(
          on: session, against: try Device.reference.openSession(), families: [.convolution, .product])
        for result in results { #expect(result.failures.isEmpty, "\(result.family)") }
      }
    }
  }
#endif
