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
    // First of all: the number of threads is oneDNN's.
    let driver = mode == .fast ? library : "Swift (reference)"
    let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return DeviceDescription(
      identifier: "cpu", name: processorName, kind: .cpu, driver: driver,
      computeUnits: mode == .fast ? Int(apus_thread_count()) : 1, memoryBytes: memory,
      maximumAllocationBytes: memory, alignment: Allocation.alignment)
  }

  private static var library: String {
    #if OneDNN
      (try? OneDNN.load()) == nil ? "oneDNN \(OneDNN.version), cannot be loaded" : "oneDNN \(OneDNN.version)"
    #else
      "Swift"
    #endif
  }

  /// A quarter of the last cache of the first core, as Linux reports it; `Int.max` where it does not. (`sysconf` asks
  /// the processor, which under a hypervisor answers for the whole machine.)
  static var tileBytes: Int {
    for index in [3, 2] {
      guard let size = firstLine(of: "/sys/devices/system/cpu/cpu0/cache/index\(index)/size") else { continue }
      let digits = size.prefix(while: \.isNumber)
      if let count = Int(digits), count > 0 { return (count << (size.hasSuffix("M") ? 20 : 10)) / 4 }
    }
    return .max
  }

  private static func firstLine(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The processor's name as the system reports it, `CPU` where it does not.
  private static var processorName: String {
    guard let file = fopen("/proc/cpuinfo", "r") else { return "CPU" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
        return String(text[text.index(after: colon)...].trimmingPrefix(" ").prefix { $0 != "\n" })
      }
    }
    return "CPU"
  }
}
