import ApusCore
import COpenCL

/// A built program; released with its last kernel.
final class OpenCLProgram {
  let handle: cl_program
  let context: OpenCLContext
  /// Whether INDEX is `long`.
  let hasLongIndices: Bool
  /// Whether it was compiled here and never launched.
  var isUntried = false

  /// Takes over `handle`, the program of `source`.
  private init(_ handle: cl_program, of source: KernelSource, in context: OpenCLContext) {
    self.handle = handle
    self.context = context
    hasLongIndices = source.hasLongIndices
  }

  deinit { _ = context.cl.clReleaseProgram(handle) }

  /// Compiles `source`.
  ///
  /// - Throws: `buildFailure` with the head of the compiler's log.
  convenience init(compiling source: KernelSource, in context: OpenCLContext) throws(BackendError) {
    let handle = try context.made("clCreateProgramWithSource(\(source.name))") { status in
      source.text.withCString { text in
        var text: UnsafePointer<CChar>? = text
        return context.cl.clCreateProgramWithSource(context.context, 1, &text, nil, status)
      }
    }
    self.init(handle, of: source, in: context)
    isUntried = true
    let built = build(source.options)
    if built != CL_SUCCESS {
      let log = self.log.split(separator: "\n", omittingEmptySubsequences: false).prefix(40).joined(separator: "\n")
      throw BackendError(
        .buildFailure,
        "\(context.name) (\(context.device.description.driver)): the kernel \(source.name) does not compile with "
          + "\(source.options): \(OpenCLStatus(code: built, call: "clBuildProgram").text)\n\(source.defines)\n\(log)")
    }
  }

  /// Loads what `binary` returned earlier for `source`; `nil` when the driver does not take it.
  convenience init?(binary: ArraySlice<UInt8>, of source: KernelSource, in context: OpenCLContext) {
    var id: cl_device_id? = context.device.id
    var status: cl_int = 0
    var binaryStatus: cl_int = 0
    let handle = binary.withUnsafeBufferPointer { bytes in
      var start: UnsafePointer<UInt8>? = bytes.baseAddress
      var length = bytes.count
      return context.cl.clCreateProgramWithBinary(context.context, 1, &id, &length, &start, &binaryStatus, &status)
    }
    guard let handle else { return nil }
    self.init(handle, of: source, in: context)
    guard status == CL_SUCCESS, binaryStatus == CL_SUCCESS, build(source.options) == CL_SUCCESS else { return nil }
  }

  private func build(_ options: String) -> cl_int {
    var id: cl_device_id? = context.device.id
    return context.cl.clBuildProgram(handle, 1, &id, options, nil, nil)
  }

  private var log: String {
    var size = 0
    let name = cl_program_build_info(CL_PROGRAM_BUILD_LOG)
    guard context.cl.clGetProgramBuildInfo(handle, context.device.id, name, 0, nil, &size) == CL_SUCCESS, size > 0
    else {
      return "(no log)"
    }
    var bytes = [UInt8](repeating: 0, count: size)
    _ = context.cl.clGetProgramBuildInfo(handle, context.device.id, name, size, &bytes, nil)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The device's code in the driver's own format; `nil` where the driver does not give it.
  var binary: [UInt8]? {
    var size = 0
    let cl = context.cl
    let status = cl.clGetProgramInfo(
      handle, cl_program_info(CL_PROGRAM_BINARY_SIZES), MemoryLayout<Int>.size, &size, nil)
    guard status == CL_SUCCESS, size > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    let copied = bytes.withUnsafeMutableBufferPointer { buffer in
      var start: UnsafeMutablePointer<UInt8>? = buffer.baseAddress
      return cl.clGetProgramInfo(
        handle, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout<UnsafeMutablePointer<UInt8>?>.size, &start, nil)
    }
    return copied == CL_SUCCESS ? bytes : nil
  }
}
