import ApusCore
import COpenCL

/// An operation bound to its buffers: one launch, or a few in order.
package final class OpenCLKernel {
  let launches: [OpenCLLaunch]

  init(_ launches: [OpenCLLaunch]) { self.launches = launches }
}

/// A kernel object of its own with all arguments set, and its sizes.
final class OpenCLLaunch {
  let kernel: cl_kernel
  let entry: String
  let dimensions: cl_uint
  /// Work-items, and work-items in a group, along each dimension.
  let global: InlineArray<3, Int>
  let local: InlineArray<3, Int>
  /// What the arguments point to.
  private let buffers: [OpenCLBuffer]
  private let program: OpenCLProgram

  /// - Parameters:
  ///   - entry: name of the kernel in the program.
  ///   - global: a multiple of `local` along each dimension, none of them 0.
  init(
    _ program: OpenCLProgram, entry: String, arguments: [OpenCLBuffer], global: [Int], local: [Int]
  ) throws(BackendError) {
    precondition(
      global.count == local.count && zip(global, local).allSatisfy { $0 > 0 && $0 % $1 == 0 },
      "OpenCL: \(entry) cannot run \(global) work-items in groups of \(local)")
    let context = program.context
    let cl = context.cl
    var status: cl_int = 0
    let made = cl.clCreateKernel(program.handle, entry, &status)
    try context.check(status, "clCreateKernel(\(entry))")
    kernel = made!
    self.entry = entry
    dimensions = cl_uint(global.count)
    self.global = InlineArray { $0 < global.count ? global[$0] : 1 }
    self.local = InlineArray { $0 < local.count ? local[$0] : 1 }
    buffers = arguments
    self.program = program
    for (index, buffer) in arguments.enumerated() {
      var memory: cl_mem? = buffer.memory
      try context.check(
        cl.clSetKernelArg(kernel, cl_uint(index), MemoryLayout<cl_mem?>.size, &memory),
        "clSetKernelArg(\(entry), \(index))")
    }
  }

  deinit { _ = program.context.cl.clReleaseKernel(kernel) }

  /// Appends the launch to the queue.
  func enqueue(on context: OpenCLContext) -> cl_int { enqueue(on: context.queue, of: context, event: nil) }

  /// Appends the launch to a queue of the context; the caller releases the event.
  func enqueue(
    on queue: cl_command_queue, of context: OpenCLContext, event: UnsafeMutablePointer<cl_event?>?
  ) -> cl_int {
    global.span.withUnsafeBufferPointer { global in
      local.span.withUnsafeBufferPointer { local in
        context.cl.clEnqueueNDRangeKernel(
          queue, kernel, dimensions, nil, global.baseAddress, local.baseAddress, 0, nil, event)
      }
    }
  }
}
