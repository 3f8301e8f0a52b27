#if OneDNN
  import ApusCore
  internal import COneDNN

  /// The library's engine and stream; one for each backend.
  final class OneDNN {
    private let handle: OpaquePointer

    private static let loading: Result<Void, BackendError> = {
      guard let problem = apus_onednn_load() else { return .success(()) }
      return .failure(
        BackendError(
          .deviceUnavailable,
          "cpu: oneDNN \(version) cannot be loaded: \(String(cString: problem)); install it and what it needs (Debian: "
            + "libdnnl-dev), use another device, or build without the trait OneDNN"))
    }()

    /// Loads oneDNN, and its OpenMP with it; further calls repeat the first one's outcome.
    static func load() throws(BackendError) { try loading.get() }

    /// Such as `2.6.3`.
    static var version: String { String(cString: apus_onednn_version()) }

    init() throws(BackendError) {
      try Self.load()
      guard let handle = apus_onednn_open() else {
        throw BackendError(
          .deviceUnavailable,
          "cpu: oneDNN \(Self.version) has no engine for this processor; build without the trait OneDNN")
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
