import ApusCore
import COpenCL

/// An operation bound to its buffers: one launch, or a few in order.
package final class OpenCLKernel {
  let launches: [OpenCLLaunch]

  init(_ launches: [OpenCLLaunch]) { self.launches = launches }
}

/// Numbers that a program leaves open so that shapes can share it: a kernel's last parameters, bound by value.
struct OpenNumbers {
  /// Of type INDEX.
  var sizes: [Int] = []
  /// Of type float, after the sizes.
  var factors: [Double] = []
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
  let program: OpenCLProgram

  /// - Parameters:
  ///   - entry: name of the kernel in the program.
  ///   - global: a multiple of `local` along each dimension, none of them 0.
  init(
    _ program: OpenCLProgram, entry: String, arguments: [OpenCLBuffer], numbers: OpenNumbers = .init(), global: [Int],
    local: [Int]
  ) throws(BackendError) {
    precondition(
      global.count == local.count && zip(global, local).allSatisfy { $0 > 0 && $0 % $1 == 0 },
      "OpenCL: \(entry) cannot run \(global) work-items in groups of \(local)")
    let context = program.context
    kernel = try context.made("clCreateKernel(\(entry))") { context.cl.clCreateKernel(program.handle, entry, $0) }
    self.entry = entry
    dimensions = cl_uint(global.count)
    self.global = InlineArray { $0 < global.count ? global[$0] : 1 }
    self.local = InlineArray { $0 < local.count ? local[$0] : 1 }
    buffers = arguments
    self.program = program
    var index: cl_uint = 0
    for buffer in arguments { try set(index.next(), cl_mem?(buffer.memory)) }
    for size in numbers.sizes {
      if program.hasLongIndices { try set(index.next(), cl_long(size)) } else { try set(index.next(), cl_int(size)) }
    }
    for factor in numbers.factors { try set(index.next(), cl_float(factor)) }
  }

  private func set<Value>(_ index: cl_uint, _ value: Value) throws(BackendError) {
    let status = withUnsafePointer(to: value) {
      program.context.cl.clSetKernelArg(kernel, index, MemoryLayout<Value>.size, $0)
    }
    try program.context.check(status, "clSetKernelArg(\(entry), \(index))")
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

extension cl_uint {
  /// This number; it is one more afterwards.
  fileprivate mutating func next() -> cl_uint {
    defer { self += 1 }
    return self
  }
}
