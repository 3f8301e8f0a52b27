package import ApusCore

extension OpenCLDevice {
  /// The device that `selection` names.
  ///
  /// - Throws: `deviceUnavailable` when there is none, or several: the message lists the choices.
  package static func select(_ selection: DeviceSelection) throws(BackendError) -> OpenCLDevice {
    try select(selection, from: all())
  }

  static func select(_ selection: DeviceSelection, from devices: [OpenCLDevice]) throws(BackendError) -> OpenCLDevice {
    guard let first = devices.first else {
      throw BackendError(
        .deviceUnavailable,
        "OpenCL: no driver offers a device; install the GPU vendor's OpenCL driver, or pocl-opencl-icd to use the CPU "
          + "(drivers are listed in /etc/OpenCL/vendors)" + (PoclFolder.problem.map { "; if it is there: \($0)" } ?? "")
      )
    }
    func none(_ what: String) -> BackendError {
      BackendError(.deviceUnavailable, "OpenCL: no device \(what); choose from \(list(devices))")
    }
    switch selection {
    case .best:
      let ranks: [DeviceDescription.Kind] = [.gpu, .accelerator, .cpu]
      return ranks.lazy.compactMap { rank in devices.first { $0.description.kind == rank } }.first ?? first
    case .index(let index):
      guard devices.indices.contains(index) else { throw none("opencl:\(index)") }
      return devices[index]
    case .kind(let kind):
      guard let device = devices.first(where: { $0.description.kind == kind }) else {
        throw none("of the kind \(kind.rawValue)")
      }
      return device
    case .named(let piece):
      let wanted = piece.lowercased()
      let matches = devices.filter { device in
        [device.description.name, device.vendor, device.platformName].contains { $0.lowercased().contains(wanted) }
      }
      guard let match = matches.first else { throw none("has '\(piece)' in its name") }
      if matches.count > 1 {
        throw BackendError(
          .deviceUnavailable,
          "OpenCL: '\(piece)' is in the names of several devices; choose one by its number: "
            + list(matches))
      }
      return match
    }
  }

  private static func list(_ devices: [OpenCLDevice]) -> String {
    devices.map { "\($0.description.identifier) (\($0.description.name), \($0.description.kind.rawValue))" }
      .joined(separator: ", ")
  }
}
