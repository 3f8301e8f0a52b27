package import ApusCore
package import COpenCL

/// A device of an OpenCL driver, as found on this machine.
package struct OpenCLDevice: @unchecked Sendable {
  /// Which of two schedules of each operation suits the device.
  package enum Schedule: String, Sendable {
    /// Few strong cores: one work-item a work-group, explicit vectors, no local memory.
    case cpu
    /// Many weak ones: local-memory tiles, work-groups that share them.
    case gpu
  }

  package let id: cl_device_id
  package let platform: cl_platform_id
  package internal(set) var description: DeviceDescription
  package internal(set) var vendor: String
  package internal(set) var platformName: String
  package let platformVersion: String
  package let driverVersion: String
  package let extensions: [String]
  package let maximumWorkGroupSize: Int
  package let localMemoryBytes: Int
  /// Size of the cache of global memory; 0 where the driver does not tell.
  package let cacheBytes: Int
  /// May be changed before a backend is made: either schedule runs anywhere.
  package var schedule: Schedule

  /// All devices of all drivers, in the drivers' order: device n is `opencl:n`.
  ///
  /// Platforms without devices are passed over, and so is Clover, whose compiler cannot build these kernels.
  ///
  /// - Throws: `deviceUnavailable` when there is no OpenCL library; an empty list is no error.
  package static func all() throws(BackendError) -> [OpenCLDevice] {
    let cl = try OpenCLLibrary.load()
    var count: cl_uint = 0
    // CL_PLATFORM_NOT_FOUND_KHR: a loader without drivers.
    guard cl.clGetPlatformIDs(0, nil, &count) == CL_SUCCESS, count > 0 else { return [] }
    var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
    try check(cl.clGetPlatformIDs(count, &platforms, nil), "clGetPlatformIDs", on: "OpenCL")

    var devices: [OpenCLDevice] = []
    for case let platform? in platforms {
      let information = Information { cl.clGetPlatformInfo(platform, cl_platform_info($0), $1, $2, $3) }
      if information.string(CL_PLATFORM_NAME) == "Clover" { continue }
      let all = cl_device_type(CL_DEVICE_TYPE_ALL)
      guard cl.clGetDeviceIDs(platform, all, 0, nil, &count) == CL_SUCCESS, count > 0 else { continue }
      var ids = [cl_device_id?](repeating: nil, count: Int(count))
      guard cl.clGetDeviceIDs(platform, all, count, &ids, nil) == CL_SUCCESS else { continue }
      for case let id? in ids {
        let device = OpenCLDevice(id, of: platform, information, index: devices.count, cl)
        if let device { devices.append(device) }
      }
    }
    return devices
  }

  var isPocl: Bool { platformName == "Portable Computing Language" }

  private init?(
    _ id: cl_device_id, of platform: cl_platform_id, _ platformInformation: Information, index: Int, _ cl: apus_opencl
  ) {
    let information = Information { cl.clGetDeviceInfo(id, cl_device_info($0), $1, $2, $3) }
    guard information.value(CL_DEVICE_AVAILABLE, cl_bool(CL_FALSE)) == CL_TRUE,
      information.value(CL_DEVICE_COMPILER_AVAILABLE, cl_bool(CL_FALSE)) == CL_TRUE
    else { return nil }
    self.id = id
    self.platform = platform
    vendor = information.string(CL_DEVICE_VENDOR)
    platformName = platformInformation.string(CL_PLATFORM_NAME)
    platformVersion = platformInformation.string(CL_PLATFORM_VERSION)
    driverVersion = information.string(CL_DRIVER_VERSION)
    extensions = information.string(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init)
    maximumWorkGroupSize = information.value(CL_DEVICE_MAX_WORK_GROUP_SIZE, 1)
    localMemoryBytes = Int(clamping: information.value(CL_DEVICE_LOCAL_MEM_SIZE, cl_ulong(0)))
    cacheBytes = Int(clamping: information.value(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, cl_ulong(0)))
    let types = information.value(CL_DEVICE_TYPE, cl_device_type(0))
    let kind: DeviceDescription.Kind =
      types & cl_device_type(CL_DEVICE_TYPE_GPU) != 0
      ? .gpu : types & cl_device_type(CL_DEVICE_TYPE_CPU) != 0 ? .cpu : .accelerator
    schedule = Schedule.forced ?? (kind == .cpu ? .cpu : .gpu)
    let memory = Int(clamping: information.value(CL_DEVICE_GLOBAL_MEM_SIZE, cl_ulong(0)))
    description = DeviceDescription(
      identifier: "opencl:\(index)", name: information.string(CL_DEVICE_NAME), kind: kind,
      driver: "\(platformVersion), driver \(driverVersion)",
      computeUnits: Int(information.value(CL_DEVICE_MAX_COMPUTE_UNITS, cl_uint(1))), memoryBytes: memory,
      maximumAllocationBytes: Int(clamping: information.value(CL_DEVICE_MAX_MEM_ALLOC_SIZE, cl_ulong(memory))),
      // At least a cache line, which the vector loads of the kernels like.
      alignment: max(64, Int(information.value(CL_DEVICE_MEM_BASE_ADDR_ALIGN, cl_uint(1024))) / 8))
  }

  /// Queries of one platform or device.
  private struct Information {
    typealias Query = (Int32, Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int
    let query: Query
    init(_ query: @escaping Query) { self.query = query }

    /// A text without the spaces and zeros that drivers leave at its ends; empty where the driver refuses.
    func string(_ name: Int32) -> String {
      var size = 0
      guard query(name, 0, nil, &size) == CL_SUCCESS, size > 0 else { return "" }
      var bytes = [UInt8](repeating: 0, count: size)
      guard query(name, size, &bytes, nil) == CL_SUCCESS else { return "" }
      let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    func value<T: BitwiseCopyable>(_ name: Int32, _ fallback: T) -> T {
      var value = fallback
      return query(name, MemoryLayout<T>.size, &value, nil) == CL_SUCCESS ? value : fallback
    }
  }
}

extension OpenCLDevice.Schedule {
  /// `APUS_DEVICE_CLASS=cpu|gpu` runs either schedule anywhere: how the GPU kernels are tested without a GPU.
  fileprivate static var forced: Self? { Environment["APUS_DEVICE_CLASS"].flatMap(Self.init(rawValue:)) }
}
