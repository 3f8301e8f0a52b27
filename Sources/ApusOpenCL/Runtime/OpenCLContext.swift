import ApusCore
import COpenCL

/// One device in use: its context, its in-order queue and the memory taken from it.
///
/// Buffers, programs and kernels hold it, so it is released last.
package final class OpenCLContext {
  let cl: apus_opencl
  let device: OpenCLDevice
  let context: cl_context
  let queue: cl_command_queue
  /// Drivers allocate lazily and fail late, so the bytes taken are counted here.
  var allocatedBytes = 0
  let memoryLimit: Int

  /// - Parameter memoryLimit: most bytes to allocate; the device's memory when not given.
  init(_ device: OpenCLDevice, memoryLimit: Int?) throws(BackendError) {
    let cl = try OpenCLLibrary.load()
    let name = device.description.name
    CallWatch.use(device.description)
    var status: cl_int = 0
    var properties: [cl_context_properties] = [
      cl_context_properties(CL_CONTEXT_PLATFORM), Int(bitPattern: device.platform), 0,
    ]
    var id: cl_device_id? = device.id
    let context = cl.clCreateContext(&properties, 1, &id, nil, nil, &status)
    func unavailable(_ call: String) -> BackendError {
      let what = status == CL_SUCCESS ? "\(call) gave nothing" : OpenCLStatus(code: status, call: call).text
      return BackendError(
        .deviceUnavailable,
        "\(name): \(what); is the device in use by another program, or its driver older than the system's?")
    }
    guard let context, status == CL_SUCCESS else { throw unavailable("clCreateContext") }
    guard let queue = cl.clCreateCommandQueue(context, device.id, 0, &status), status == CL_SUCCESS else {
      _ = cl.clReleaseContext(context)
      throw unavailable("clCreateCommandQueue")
    }
    self.cl = cl
    self.device = device
    self.context = context
    self.queue = queue
    self.memoryLimit = min(memoryLimit ?? .max, device.description.memoryBytes)
  }

  deinit {
    _ = cl.clReleaseCommandQueue(queue)
    _ = cl.clReleaseContext(context)
  }

  var name: String { device.description.name }

  /// Throws what `code` means.
  ///
  /// Memory that a driver promised and then lacks shows as code -4, -5 or -6 at any later call. Code -5 is also what
  /// remains of a device that faulted: where little memory is in use, it means that.
  func check(_ code: cl_int, _ call: @autoclosure () -> String) throws(BackendError) {
    if code == CL_SUCCESS { return }
    let status = OpenCLStatus(code: code, call: call())
    switch code {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY, CL_INVALID_BUFFER_SIZE: throw outOfMemory(status)
    case CL_OUT_OF_RESOURCES where allocatedBytes > memoryLimit / 2: throw outOfMemory(status)
    case CL_OUT_OF_RESOURCES, CL_DEVICE_NOT_AVAILABLE, CL_INVALID_COMMAND_QUEUE,
      CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, OpenCLStatus.kernelFault:
      throw BackendError(
        .deviceLost,
        "\(name): \(status.text): the driver gave the device up; start the program again from the last "
          + "checkpoint, and look into the system's log (dmesg) if it happens again")
    default: throw driverError(status.text)
    }
  }

  /// The object that `make` returns, unless it writes a status that is an error.
  func made<Object>(
    _ call: @autoclosure () -> String, _ make: (UnsafeMutablePointer<cl_int>) -> Object?
  ) throws(BackendError) -> Object {
    var status: cl_int = 0
    let object = make(&status)
    try check(status, call())
    guard let object else { throw driverError("\(call()) gave neither an object nor an error") }
    return object
  }

  func driverError(_ what: String) -> BackendError {
    BackendError(.driver, "\(name): \(what); update the driver (\(device.description.driver)) or use another device")
  }

  private func outOfMemory(_ status: OpenCLStatus) -> BackendError {
    BackendError(
      .outOfMemory,
      "\(name): out of memory: \(status.text) with \(allocatedBytes.formattedBytes) of "
        + "\(memoryLimit.formattedBytes) in use; use a smaller batch or model, or end other programs on the device",
      requestedBytes: allocatedBytes, limitBytes: memoryLimit)
  }

  /// New memory with undefined contents.
  func allocate(_ byteCount: Int) throws(BackendError) -> OpenCLBuffer {
    precondition(byteCount > 0, "OpenCL: a buffer needs at least one byte")
    let largest = device.description.maximumAllocationBytes
    if byteCount > largest {
      throw .outOfMemory(requested: byteCount, limit: largest, on: name, why: "one allocation may have")
    }
    if byteCount > memoryLimit - allocatedBytes {
      throw .outOfMemory(
        requested: byteCount, limit: memoryLimit, on: name,
        why: "\(allocatedBytes.formattedBytes) are in use of")
    }
    let memory = try made("clCreateBuffer of \(byteCount.formattedBytes)") {
      cl.clCreateBuffer(context, cl_mem_flags(CL_MEM_READ_WRITE), byteCount, nil, $0)
    }
    allocatedBytes += byteCount
    return OpenCLBuffer(memory, byteCount: byteCount, in: self)
  }
}
