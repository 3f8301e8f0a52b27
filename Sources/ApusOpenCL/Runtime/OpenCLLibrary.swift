package import ApusCore
package import COpenCL

/// The OpenCL library of this machine, loaded at first use.
package struct OpenCLLibrary: @unchecked Sendable {
  /// The functions; they are thread-safe except `clSetKernelArg` on one kernel.
  package let functions: apus_opencl

  private static let shared: Result<OpenCLLibrary, BackendError> = {
    PoclFolder.prepare()
    CallWatch.observe {
      let call = apus_opencl_current_call()
      return CallWatch.Call(name: call.name, count: call.count)
    }
    var functions = apus_opencl()
    guard let failure = apus_opencl_load(&functions) else { return .success(OpenCLLibrary(functions: functions)) }
    return .failure(
      BackendError(
        .deviceUnavailable,
        "OpenCL: \(String(cString: failure)); install an OpenCL loader (Debian: ocl-icd-libopencl1) and a driver: "
          + "the GPU vendor's, or pocl-opencl-icd for the CPU"))
  }()

  /// The functions, or why there are none.
  package static func load() throws(BackendError) -> apus_opencl { try shared.get().functions }
}

/// What an OpenCL call's status means for a program.
struct OpenCLStatus {
  let code: cl_int
  /// The call, for messages.
  let call: String

  /// NVIDIA's code for a kernel that touched memory that is not its own.
  static let kernelFault: cl_int = -9999

  /// CL_PLATFORM_NOT_FOUND_KHR
  static let noPlatform: cl_int = -1001

  static let names: [cl_int: String] = [
    -1: "CL_DEVICE_NOT_FOUND", -2: "CL_DEVICE_NOT_AVAILABLE", -3: "CL_COMPILER_NOT_AVAILABLE",
    -4: "CL_MEM_OBJECT_ALLOCATION_FAILURE", -5: "CL_OUT_OF_RESOURCES", -6: "CL_OUT_OF_HOST_MEMORY",
    -7: "CL_PROFILING_INFO_NOT_AVAILABLE", -11: "CL_BUILD_PROGRAM_FAILURE", -13: "CL_MISALIGNED_SUB_BUFFER_OFFSET",
    -14: "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", -30: "CL_INVALID_VALUE", -35: "CL_INVALID_QUEUE_PROPERTIES",
    -36: "CL_INVALID_COMMAND_QUEUE",
    -38: "CL_INVALID_MEM_OBJECT", -42: "CL_INVALID_BINARY", -45: "CL_INVALID_PROGRAM_EXECUTABLE",
    -46: "CL_INVALID_KERNEL_NAME", -49: "CL_INVALID_ARG_INDEX", -51: "CL_INVALID_ARG_SIZE",
    -52: "CL_INVALID_KERNEL_ARGS", -54: "CL_INVALID_WORK_GROUP_SIZE", -55: "CL_INVALID_WORK_ITEM_SIZE",
    -61: "CL_INVALID_BUFFER_SIZE", -63: "CL_INVALID_GLOBAL_WORK_SIZE", -1001: "CL_PLATFORM_NOT_FOUND_KHR",
  ]

  /// `clFinish: CL_OUT_OF_RESOURCES (-5)`
  var text: String { "\(call): \(Self.names[code] ?? "error") (\(code))" }
}
