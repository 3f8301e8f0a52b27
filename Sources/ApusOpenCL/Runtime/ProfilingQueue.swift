import ApusCore
import COpenCL

/// A second queue of a context whose launches are timed. The ordinary one has no events, which would slow it down.
final class ProfilingQueue {
  private let context: OpenCLContext
  private let queue: cl_command_queue

  /// - Throws: `unsupported` where the device has no queues that measure.
  init(_ context: OpenCLContext) throws(BackendError) {
    var status: cl_int = 0
    let properties = cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE)
    guard let queue = context.cl.clCreateCommandQueue(context.context, context.device.id, properties, &status),
      status == CL_SUCCESS
    else {
      throw Self.unable(
        OpenCLStatus(code: status, call: "clCreateCommandQueue with CL_QUEUE_PROFILING_ENABLE").text, on: context)
    }
    self.context = context
    self.queue = queue
  }

  deinit { _ = context.cl.clReleaseCommandQueue(queue) }

  /// Runs the kernels between all that was enqueued before and all that will be, and tells the time of each launch.
  ///
  /// - Throws: `unsupported` where the driver measures nothing.
  func run(_ kernels: [OpenCLKernel]) throws(BackendError) -> [[RunProfile.Launch]] {
    let cl = context.cl
    try context.check(cl.clFinish(context.queue), "clFinish")
    var events: [cl_event] = []
    defer { for event in events { _ = cl.clReleaseEvent(event) } }
    for kernel in kernels {
      for launch in kernel.launches {
        var event: cl_event?
        try context.check(
          launch.enqueue(on: queue, of: context, event: &event), "clEnqueueNDRangeKernel(\(launch.entry))")
        guard let event else { throw context.driverError("clEnqueueNDRangeKernel(\(launch.entry)) gave no event") }
        events.append(event)
      }
    }
    try context.check(cl.clFinish(queue), "clFinish")

    guard let first = events.first else { return kernels.map { _ in [] } }
    let origin = try nanoseconds(CL_PROFILING_COMMAND_START, of: first)
    var times = events.makeIterator()
    var result: [[RunProfile.Launch]] = []
    for kernel in kernels {
      var launches: [RunProfile.Launch] = []
      for launch in kernel.launches {
        let event = times.next()!
        let start = try nanoseconds(CL_PROFILING_COMMAND_START, of: event)
        let end = try nanoseconds(CL_PROFILING_COMMAND_END, of: event)
        launches.append(
          RunProfile.Launch(
            name: launch.entry, start: Double(start - origin) * 1e-9, duration: Double(end - start) * 1e-9))
      }
      result.append(launches)
    }
    // Mesa's llvmpipe has no clock and says 1 ns.
    guard result.contains(where: { $0.contains { $0.duration > 1e-9 } }) else {
      throw Self.unable("it says that no launch takes more than 1 ns", on: context)
    }
    return result
  }

  private static func unable(_ reason: String, on context: OpenCLContext) -> BackendError {
    BackendError(.unsupported, "\(context.name): its driver cannot time kernels (\(reason)); profile on another device")
  }

  private func nanoseconds(_ moment: Int32, of event: cl_event) throws(BackendError) -> Int {
    var value: cl_ulong = 0
    try context.check(
      context.cl.clGetEventProfilingInfo(
        event, cl_profiling_info(moment), MemoryLayout<cl_ulong>.size, &value, nil),
      "clGetEventProfilingInfo")
    return Int(truncatingIfNeeded: value)
  }
}
