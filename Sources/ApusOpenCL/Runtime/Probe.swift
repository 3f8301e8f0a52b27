import ApusCore

/// A question of what a device can do beyond OpenCL 1.2: a small kernel, `probe` of `kernels/<file>.cl`, which is
/// compiled, run and looked at. Extensions say what is worth asking, not what works.
///
/// It is asked where a kernel first wants to know; the program that answers is kept with the others. `APUS_PROBES=off`
/// asks nothing: a device then has none of it.
struct Probe {
  let files: [String]
  let defines: Defines
  /// Without it the driver is not asked.
  let requiredExtension: String

  /// Whether the device does it; no work-item may have found something else.
  func passes(on backend: OpenCLBackend) -> Bool {
    guard Environment["APUS_PROBES"] != "off", backend.context.device.extensions.contains(requiredExtension) else {
      return false
    }
    // A driver may refuse in any call.
    return (try? answer(of: backend)) == true
  }

  private func answer(of backend: OpenCLBackend) throws -> Bool {
    let count = backend.groupSize
    var all = defines
    all["GROUP"] = count
    let right = try backend.allocate(count * 4)
    let source = try KernelSource(files, all, for: backend.context.device)
    let launch = try backend.launch(source, "probe", [right], global: [count], local: [count])
    try backend.run([OpenCLKernel([launch])])
    var found = [Int32](repeating: 0, count: count)
    try found.withUnsafeMutableBytes { try backend.copy(right, to: $0) }
    return found.allSatisfy { $0 == 1 }
  }
}

/// How the work-items of a sub-group pass values to each other, as `SUB_GROUPS` of `kernels/group_tree.cl`.
enum SubGroups: Int, CaseIterable {
  case none, khronos, nvidia

  /// The first way that works on the device.
  static func found(on backend: OpenCLBackend) -> SubGroups {
    allCases.first { $0.probe?.passes(on: backend) == true } ?? .none
  }

  private var probe: Probe? {
    let name: String? =
      switch self {
      case .none: nil
      case .khronos: "cl_khr_subgroup_shuffle"
      // Its drivers list no extension for the instruction.
      case .nvidia: "cl_nv_device_attribute_query"
      }
    return name.map {
      Probe(
        files: ["group_tree", "probe_sub_groups"], defines: ["SUB_GROUPS": rawValue], requiredExtension: $0)
    }
  }
}
