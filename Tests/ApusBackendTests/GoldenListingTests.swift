#if OpenCL && OneDNN
  import ApusData
  import ApusNN
  import ApusOptimize
  import Foundation
  import Testing

  @testable import ApusCPU
  @testable import ApusCore
  @testable import ApusOpenCL
  @testable import ApusTraining

  /// What the compiler makes of training steps, with the memory of every value: what changes it shows in the listings
  /// of `Golden/`. `APUS_UPDATE_GOLDEN=1` writes those anew.
  @Suite(.serialized) struct GoldenListingTests {
    enum Target: String, CaseIterable, Sendable {
      case cpu
      case openCL = "opencl"

      /// The listings are those of a machine with both libraries.
      static let allCases: [Target] = (OneDNN.isLoaded ? [.cpu] : []) + (TestBackend.hasOpenCL ? [.openCL] : [])
    }

    /// The devices are as those of the listings: two cores, whatever this machine has.
    private func session(_ target: Target) throws -> any Session {
      switch target {
      case .cpu: return BackendSession(PlannedBackend(CPUBackend()))
      case .openCL:
        var device = try OpenCLDevice.select(.best)
        device.kernelClass = .cpu
        device.description.computeUnits = 2
        return BackendSession(PlannedBackend(try OpenCLBackend(device)))
      }
    }

    @Test(arguments: Target.allCases, [("lenet5", [28, 28, 1]), ("resnet20", [32, 32, 3])])
    func stepIsPlannedAsBefore(_ target: Target, _ network: (name: String, input: [Int])) throws {
      var options = CompileOptions()
      // Whole batches, whatever the caches hold.
      options.batchTileRows = 1000
      let model = try Models.make(network.name, inputShape: network.input, classes: 10)
      let trainer = try Trainer(
        model, optimizer: Adam(), loss: .sparseCategoricalCrossEntropy, metrics: [.accuracy],
        session: try session(target), options: options)
      let data = try ImageDataset(
        name: "zeros", images: NDArray(zeros: [8] + network.input, dtype: .uint8),
        labels: NDArray(zeros: [8], dtype: .int32), classNames: (0..<10).map { "\($0)" })
      let plan = try trainer.step(.training, trainer.place([data.images], [data.labels], name: "zeros"), batchSize: 8)
      let listing = plan.executable.listing + "\n"

      let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/\(network.name)-\(target.rawValue).txt")
      if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDEN"] == "1" {
        try listing.write(to: file, atomically: true, encoding: .utf8)
        return
      }
      let golden = try String(contentsOf: file, encoding: .utf8)
      let (lines, expected) = (listing.split(separator: "\n"), golden.split(separator: "\n"))
      for (line, wanted) in zip(lines, expected) where line != wanted {
        Issue.record("\(file.lastPathComponent): now\n\(line)\nbefore\n\(wanted)")
        break
      }
      #expect(lines.count == expected.count)
    }
  }
#endif
