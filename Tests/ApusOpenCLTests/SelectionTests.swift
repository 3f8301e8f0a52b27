#if OpenCL
  import ApusCore
  import ApusDevices
  import Testing

  @testable import ApusOpenCL

  extension OpenCLTests {
    @Suite struct SelectionTests {
      /// A machine with four devices, described after one that is there.
      private func machine() throws -> [OpenCLDevice] {
        let real = try OpenCLDevice.select(.best)
        let descriptions: [(name: String, vendor: String, kind: DeviceDescription.Kind)] = [
          ("pthread-haswell", "GenuineIntel", .cpu), ("gfx1100", "Advanced Micro Devices, Inc.", .gpu),
          ("Radeon Pro W6600", "Advanced Micro Devices, Inc.", .gpu), ("Arc A770", "Intel(R) Corporation", .gpu),
        ]
        return descriptions.enumerated().map { index, description in
          var device = real
          device.description.identifier = "opencl:\(index)"
          device.description.name = description.name
          device.description.kind = description.kind
          device.vendor = description.vendor
          device.platformName = "Platform of \(description.vendor)"
          return device
        }
      }

      private func identifier(_ choice: String) throws -> String {
        try OpenCLDevice.select(DeviceSelection(choice), from: machine()).description.identifier
      }

      @Test(arguments: [
        ("", "opencl:1"), ("0", "opencl:0"), ("3", "opencl:3"), ("gpu", "opencl:1"), ("CPU", "opencl:0"),
        ("radeon", "opencl:2"), ("a770", "opencl:3"), ("Intel(R)", "opencl:3"), ("genuine", "opencl:0"),
      ])
      func isByNumberKindOrPieceOfAName(_ choice: String, _ expected: String) throws {
        #expect(try identifier(choice) == expected)
      }

      @Test func withoutAGPUTakesWhatThereIs() throws {
        let cpuOnly = Array(try machine().prefix(1))
        #expect(try OpenCLDevice.select(.best, from: cpuOnly).description.identifier == "opencl:0")
      }

      @Test(arguments: ["4", "-1", "accelerator", "geforce"])
      func whatIsNotThereIsAnErrorWithTheChoices(_ choice: String) throws {
        let error = #expect(throws: BackendError.self) { try identifier(choice) }
        #expect(error?.code == .deviceUnavailable)
        for device in try machine() {
          let line =
            "\(device.description.identifier) (\(device.description.name), \(device.description.kind.rawValue))"
          #expect(error?.message.contains(line) == true, "\(error!)")
        }
      }

      @Test func aPieceOfSeveralNamesIsAnErrorWithThese() throws {
        let error = #expect(throws: BackendError.self) { try identifier("advanced micro") }
        let message = try #require(error?.message)
        #expect(error?.code == .deviceUnavailable)
        #expect(message.contains("opencl:1 (gfx1100") && message.contains("opencl:2 (Radeon"), "\(message)")
        #expect(!message.contains("opencl:0") && !message.contains("opencl:3"), "\(message)")
      }

      @Test func withoutDevicesSaysWhatToInstall() {
        let error = #expect(throws: BackendError.self) { try OpenCLDevice.select(.best, from: []) }
        #expect(error?.code == .deviceUnavailable)
        #expect(error?.message.contains("pocl-opencl-icd") == true)
      }

      /// Who asks for an OpenCL device never gets the CPU backend.
      @Test(arguments: ["opencl:99", "opencl:accelerator-of-nobody"])
      func aSessionOnWhatIsNotThereIsAnError(_ choice: String) throws {
        let error = #expect(throws: BackendError.self) { try Device(parsing: choice).openSession() }
        #expect(error?.code == .deviceUnavailable)
      }

      @Test func aSessionIsOnTheDeviceAskedFor() throws {
        let session = try Device(parsing: "opencl:0").openSession()
        #expect(session.device.identifier == "opencl:0")
        #expect(try session.device == OpenCLDevice.all()[0].description)
      }
    }
  }
#endif
