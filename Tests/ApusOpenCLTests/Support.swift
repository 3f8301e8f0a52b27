#if OpenCL
  import ApusCore
  import Foundation
  import Testing

  @testable import ApusOpenCL

  /// Tests of the OpenCL backend itself, one after the other; what its kernels compute is tested in ApusBackendTests.
  @Suite(.serialized, .enabled("there is no OpenCL library on this machine") { (try? OpenCLLibrary.load()) != nil })
  struct OpenCLTests {}

  /// A backend on the best device of this machine; it leaves the user's cache alone.
  func openBackend(memoryLimit: Int? = nil, cacheFolder: String? = nil) throws -> OpenCLBackend {
    try OpenCLBackend(OpenCLDevice.select(.best), memoryLimit: memoryLimit, cacheFolder: cacheFolder)
  }

  /// A folder that is removed at the end.
  final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }
#endif
