#if OneDNN
  import ApusCore
  internal import COneDNN

  /// The library's engine and stream; one for each backend.
  final class OneDNN {
    private let handle: OpaquePointer

    /// `nil` where the library is loaded, else why not.
    private static let problem: String? =
      isRefused ? "APUS_ONEDNN is off" : apus_onednn_load().map(String.init(cString:))

    /// The library that the environment variable `APUS_ONEDNN` names, for use in place of the system's.
    private static let wanted: String? = apus_onednn_wanted().map(String.init(cString:))
    private static var isRefused: Bool { wanted == "off" }

    /// Loads the library at its first use, and its OpenMP with it.
    static var isLoaded: Bool { problem == nil }

    /// - Throws: `deviceUnavailable` where `APUS_ONEDNN` names a library that cannot be used.
    static func requireWanted() throws(BackendError) {
      guard let problem, let wanted, !isRefused else { return }
      throw BackendError(
        .deviceUnavailable,
        "cpu: APUS_ONEDNN=\(wanted) cannot be loaded: \(problem); name a library of oneDNN 2 or 3, or 'off'")
    }

    /// What users should know where no library was found, and none was named or refused.
    static var missing: String? {
      guard let problem, wanted == nil else { return nil }
      return "cpu: oneDNN cannot be loaded (\(problem)); convolutions and products run in Apus's own loops, which are "
        + "slower; install oneDNN (Debian 13, Ubuntu 24.04: libdnnl3; before: libdnnl2)"
    }

    /// Such as `2.6.3`.
    static var version: String { String(cString: apus_onednn_version()) }

    init() throws(BackendError) {
      guard let handle = apus_onednn_open() else {
        throw BackendError(
          .deviceUnavailable, "cpu: oneDNN \(Self.version) has no engine for this processor; use APUS_ONEDNN=off")
      }
      self.handle = handle
    }

    deinit { apus_onednn_close(handle) }

    /// Binds a convolution pass; see `apus_onednn_convolution`.
    func convolution(
      _ sizes: apus_convolution, image: UnsafeMutablePointer<Float>, filter: UnsafeMutablePointer<Float>,
      bias: UnsafeMutablePointer<Float>?, result: UnsafeMutablePointer<Float>, label: String
    ) throws(BackendError) -> OneDNNPrimitive {
      var made: OpaquePointer?
      var sizes = sizes
      let status = apus_onednn_convolution(handle, &sizes, image, filter, bias, result, &made)
      try Self.check(status, label)
      return OneDNNPrimitive(made!, library: self, label: label)
    }

    /// Binds a matrix product; see `apus_onednn_product`.
    func product(
      _ sizes: apus_product, a: UnsafeMutablePointer<Float>, b: UnsafeMutablePointer<Float>,
      bias: UnsafeMutablePointer<Float>?, c: UnsafeMutablePointer<Float>, label: String
    ) throws(BackendError) -> OneDNNPrimitive {
      var made: OpaquePointer?
      var sizes = sizes
      let status = apus_onednn_product(handle, &sizes, a, b, bias, c, &made)
      try Self.check(status, label)
      return OneDNNPrimitive(made!, library: self, label: label)
    }

    static func check(_ status: Int32, _ label: String) throws(BackendError) {
      guard status != 0 else { return }
      throw BackendError(
        .driver,
        "\(label): oneDNN \(version): \(String(cString: apus_onednn_status_name(status)))")
    }
  }

  /// A primitive bound to its memory.
  final class OneDNNPrimitive {
    private let handle: OpaquePointer
    private let library: OneDNN
    private let label: String

    fileprivate init(_ handle: OpaquePointer, library: OneDNN, label: String) {
      self.handle = handle
      self.library = library
      self.label = label
    }

    deinit { apus_onednn_destroy(handle) }

    var scratchByteCount: Int { apus_onednn_scratch_size(handle) }

    /// - Parameter filterChanged: false only where the filter is kept and has not changed since the last run.
    func run(_ scratch: UnsafeMutableRawPointer?, filterChanged: Bool = true) throws(BackendError) {
      try OneDNN.check(apus_onednn_execute(handle, scratch, filterChanged), label)
    }
  }
#endif
