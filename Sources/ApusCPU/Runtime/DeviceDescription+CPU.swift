import ApusCore
internal import CThreads

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension CPUBackend {
  static func describe(_ mode: Mode) -> DeviceDescription {
    // First of all: the number of threads is oneDNN's, at most one for each core.
    _ = limitsCores
    let driver = mode == .fast ? library : "Swift (reference)"
    var device = DeviceDescription(
      identifier: "cpu", name: processorName, kind: .cpu, driver: driver,
      computeUnits: mode == .fast ? Int(apus_thread_count()) : 1, memoryBytes: HostMemory.total,
      maximumAllocationBytes: HostMemory.total, alignment: Allocation.alignment)
    if mode == .fast { device.batchTileBytes = tileBytes }
    return device
  }

  /// A container may have the time of two of the machine's 64 cores: more threads would stand still in turn, and the
  /// others wait for them.
  private static let limitsCores: Void = {
    if let limit = ControlGroup().processorLimit { apus_limit_cores(Int32(clamping: limit)) }
  }()

  private static var library: String {
    #if OneDNN
      OneDNN.isLoaded ? "oneDNN \(OneDNN.version)" : OneDNN.missing == nil ? "Swift" : "Swift; oneDNN is missing"
    #else
      "Swift"
    #endif
  }

  /// A quarter of the last cache of the first core, as Linux reports it; `Int.max` where it does not. (`sysconf` asks
  /// the processor, which under a hypervisor answers for the whole machine.)
  private static var tileBytes: Int {
    for index in [3, 2] {
      guard let size = lines(of: "/sys/devices/system/cpu/cpu0/cache/index\(index)/size").first else { continue }
      let digits = size.prefix(while: \.isNumber)
      if let count = Int(digits), count > 0 { return (count << (size.hasSuffix("M") ? 20 : 10)) / 4 }
    }
    return .max
  }

  /// The processor's name as the system reports it, `CPU` where it does not.
  private static var processorName: String {
    let name = lines(of: "/proc/cpuinfo").first { $0.hasPrefix("model name") }
    guard let name, let colon = name.firstIndex(of: ":") else { return "CPU" }
    return String(name[name.index(after: colon)...].trimmingPrefix(" "))
  }
}
