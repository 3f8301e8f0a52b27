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
    var status: cl_int = 0
    var properties: [cl_context_properties] = [
      cl_context_properties(CL_CONTEXT_PLATFORM), Int(bitPattern: device.platform), 0,
    ]
    var id: cl_device_id? = device.id
    let context = cl.clCreateContext(&properties, 1, &id, nil, nil, &status)
    guard let context, status == CL_SUCCESS else {
      throw BackendError(
        .deviceUnavailable,
        "\(name): \(OpenCLStatus(code: status, call: "clCreateContext").text); "
          + "is the device in use by another program, or its driver older than the system's?")
    }
    guard let queue = cl.clCreateCommandQueue(context, device.id, 0, &status), status == CL_SUCCESS else {
      _ = cl.clReleaseContext(context)
      throw BackendError(
        .deviceUnavailable, "\(name): \(OpenCLStatus(code: status, call: "clCreateCommandQueue").text)")
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
    case CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY: throw outOfMemory(status)
    case CL_OUT_OF_RESOURCES where allocatedBytes > memoryLimit / 2: throw outOfMemory(status)
    case CL_OUT_OF_RESOURCES, CL_DEVICE_NOT_AVAILABLE, CL_INVALID_COMMAND_QUEUE, OpenCLStatus.kernelFault:
      throw BackendError(
        .deviceLost,
        "\(name): \(status.text): the driver gave the device up; start the program again from the last "
          + "checkpoint, and look into the system's log (dmesg) if it happens again")
    default: throw BackendError(.driver, "\(name): \(status.text)")
    }
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
    var status: cl_int = 0
    let memory = cl.clCreateBuffer(context, cl_mem_flags(CL_MEM_READ_WRITE), byteCount, nil, &status)
    if status == CL_INVALID_BUFFER_SIZE {
      throw .outOfMemory(requested: byteCount, limit: largest, on: name, why: "one allocation may have")
    }
    try check(status, "clCreateBuffer of \(byteCount.formattedBytes)")
    allocatedBytes += byteCount
    return OpenCLBuffer(memory!, byteCount: byteCount, in: self)
  }
}
