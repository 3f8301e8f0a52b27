package import ApusCore
package import COpenCL
import Synchronization

/// A device of an OpenCL driver, as found on this machine.
package struct OpenCLDevice: @unchecked Sendable {
  /// Which of the two kinds of kernels suits the device.
  package enum KernelClass: String, Sendable {
    /// Few strong cores: one work-item a work-group, explicit vectors, no local memory.
    case cpu
    /// Many weak ones: local-memory tiles, work-groups that share them.
    case gpu

    /// The kernels for a device of `kind` with vectors of `vectorWidth` floats.
    ///
    /// A processor whose driver tells of single floats (Mesa's llvmpipe) has vectors all the same: a lane of them is a
    /// work-item, as on a GPU, and a work-item alone leaves the other lanes empty.
    init(for kind: DeviceDescription.Kind, vectorWidth: Int) {
      self = kind == .cpu && vectorWidth > 1 ? .cpu : .gpu
    }
  }

  package let id: cl_device_id
  package let platform: cl_platform_id
  package internal(set) var description: DeviceDescription
  package internal(set) var vendor: String
  package internal(set) var platformName: String
  package let platformVersion: String
  package let driverVersion: String
  package internal(set) var extensions: [String]
  package let maximumWorkGroupSize: Int
  package let localMemoryBytes: Int
  /// Whether the device multiplies and adds with one rounding; where it does not, the function `fma` is a long one.
  package var hasFusedMultiplyAdd: Bool
  /// May be changed before a backend is made: either class runs anywhere.
  package var kernelClass: KernelClass

  /// All devices of all drivers, in the drivers' order: device n is `opencl:n`.
  ///
  /// Platforms without devices are passed over, and so is Clover, whose compiler cannot build these kernels. So is a
  /// driver that fails, as long as another one offers a device.
  ///
  /// - Throws: `deviceUnavailable` when there is no OpenCL library, or only drivers that fail; an empty list is none.
  package static func all() throws(BackendError) -> [OpenCLDevice] {
    // Drivers start at the first question, and not all of them bear two at once.
    try search.withLock { _ throws(BackendError) in try find() }
  }

  private static let search = Mutex(())

  private static func find() throws(BackendError) -> [OpenCLDevice] {
    let cl = try OpenCLLibrary.load()
    var count: cl_uint = 0
    let found = cl.clGetPlatformIDs(0, nil, &count)
    // A loader without drivers.
    if found == OpenCLStatus.noPlatform || (found == CL_SUCCESS && count == 0) { return [] }
    try check(found, "clGetPlatformIDs")
    var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
    try check(cl.clGetPlatformIDs(count, &platforms, nil), "clGetPlatformIDs")

    var devices: [OpenCLDevice] = []
    var failure: BackendError?
    for case let platform? in platforms {
      do throws(BackendError) {
        try appendDevices(of: platform, to: &devices, cl)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure, devices.isEmpty { throw failure }
    return devices
  }

  private static func appendDevices(
    of platform: cl_platform_id, to devices: inout [OpenCLDevice], _ cl: apus_opencl
  ) throws(BackendError) {
    let information = Information(call: "clGetPlatformInfo") {
      cl.clGetPlatformInfo(platform, cl_platform_info($0), $1, $2, $3)
    }
    if try information.string(CL_PLATFORM_NAME) == "Clover" { return }
    let all = cl_device_type(CL_DEVICE_TYPE_ALL)
    var count: cl_uint = 0
    let found = cl.clGetDeviceIDs(platform, all, 0, nil, &count)
    if found == CL_DEVICE_NOT_FOUND || (found == CL_SUCCESS && count == 0) { return }
    try check(found, "clGetDeviceIDs")
    var ids = [cl_device_id?](repeating: nil, count: Int(count))
    try check(cl.clGetDeviceIDs(platform, all, count, &ids, nil), "clGetDeviceIDs")
    for case let id? in ids {
      let device = try OpenCLDevice(id, of: platform, information, index: devices.count, cl)
      if let device { devices.append(device) }
    }
  }

  /// Throws what a status means before a device is open.
  private static func check(_ code: cl_int, _ call: String) throws(BackendError) {
    if code == CL_SUCCESS { return }
    throw BackendError(
      .deviceUnavailable,
      "OpenCL: \(OpenCLStatus(code: code, call: call).text): a driver fails; update or remove it (drivers are listed "
        + "in /etc/OpenCL/vendors)" + (PoclFolder.problem.map { "; if it is pocl: \($0)" } ?? ""))
  }

  var isPocl: Bool { platformName == "Portable Computing Language" }

  private init?(
    _ id: cl_device_id, of platform: cl_platform_id, _ platformInformation: Information, index: Int, _ cl: apus_opencl
  ) throws(BackendError) {
    let information = Information(call: "clGetDeviceInfo") {
      cl.clGetDeviceInfo(id, cl_device_info($0), $1, $2, $3)
    }
    guard try information.value(CL_DEVICE_AVAILABLE, cl_bool.self) == CL_TRUE,
      try information.value(CL_DEVICE_COMPILER_AVAILABLE, cl_bool.self) == CL_TRUE
    else { return nil }
    self.id = id
    self.platform = platform
    vendor = try information.string(CL_DEVICE_VENDOR)
    platformName = try platformInformation.string(CL_PLATFORM_NAME)
    platformVersion = try platformInformation.string(CL_PLATFORM_VERSION)
    driverVersion = try information.string(CL_DRIVER_VERSION)
    extensions = try information.string(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init)
    maximumWorkGroupSize = try information.value(CL_DEVICE_MAX_WORK_GROUP_SIZE, Int.self)
    localMemoryBytes = Int(clamping: try information.value(CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong.self))
    let types = try information.value(CL_DEVICE_TYPE, cl_device_type.self)
    let kind: DeviceDescription.Kind =
      types & cl_device_type(CL_DEVICE_TYPE_GPU) != 0
      ? .gpu : types & cl_device_type(CL_DEVICE_TYPE_CPU) != 0 ? .cpu : .accelerator
    let vectorWidth = Int(try information.value(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, cl_uint.self))
    kernelClass = KernelClass.forced ?? KernelClass(for: kind, vectorWidth: vectorWidth)
    let arithmetic = try information.value(CL_DEVICE_SINGLE_FP_CONFIG, cl_device_fp_config.self)
    hasFusedMultiplyAdd = arithmetic & cl_device_fp_config(CL_FP_FMA) != 0
    let memory = Int(clamping: try information.value(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong.self))
    description = DeviceDescription(
      identifier: "opencl:\(index)", name: try information.string(CL_DEVICE_NAME), kind: kind,
      driver: "\(platformVersion), driver \(driverVersion)",
      computeUnits: Int(try information.value(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint.self)), memoryBytes: memory,
      maximumAllocationBytes: Int(clamping: try information.value(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong.self)),
      // At least a cache line, which the vector loads of the kernels like.
      alignment: max(64, Int(try information.value(CL_DEVICE_MEM_BASE_ADDR_ALIGN, cl_uint.self)) / 8))
    // Half of the cache on CPUs, where a launch costs more than on the backend of their own; GPUs want large launches.
    // 0 where the driver does not tell.
    let cache = Int(clamping: try information.value(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, cl_ulong.self))
    if kind == .cpu, cache > 0 { description.batchTileBytes = cache / 2 }
  }

  /// Queries of one platform or device, all of which OpenCL 1.2 wants to be answered.
  private struct Information {
    typealias Query = (Int32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
    let call: String
    let query: Query

    /// A text without the spaces and zeros that drivers leave at its ends.
    func string(_ name: Int32) throws(BackendError) -> String {
      var size = 0
      try OpenCLDevice.check(query(name, 0, nil, &size), call)
      if size == 0 { return "" }
      var bytes = [UInt8](repeating: 0, count: size)
      try OpenCLDevice.check(query(name, size, &bytes, nil), call)
      let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    func value<T: FixedWidthInteger>(_ name: Int32, _ type: T.Type) throws(BackendError) -> T {
      var value: T = 0
      try OpenCLDevice.check(query(name, MemoryLayout<T>.size, &value, nil), call)
      return value
    }
  }
}

extension OpenCLDevice.KernelClass {
  /// `APUS_DEVICE_CLASS=cpu|gpu` runs either class anywhere: how the GPU kernels are tested without a GPU.
  fileprivate static var forced: Self? { Environment["APUS_DEVICE_CLASS"].flatMap(Self.init(rawValue:)) }
}
