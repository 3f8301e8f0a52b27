package import ApusCore
import COpenCL

/// One OpenCL device and its in-order queue.
package final class OpenCLBackend: Backend {
  package typealias Buffer = OpenCLBuffer
  package typealias Kernel = OpenCLKernel

  let context: OpenCLContext
  let programs: ProgramCache
  package var schedules: [String: String] = [:]
  private let staging: StagingRing
  private var profilingQueue: ProfilingQueue?
  /// Found out where a kernel first asks.
  lazy var subGroups = SubGroups.found(on: self)

  /// - Parameters:
  ///   - memoryLimit: most bytes to allocate, below the device's own limit; how tests run out of memory.
  ///   - cacheFolder: where built programs are kept; `nil` to keep none.
  /// - Throws: `deviceUnavailable` when the driver does not open the device.
  package init(
    _ device: OpenCLDevice, memoryLimit: Int? = nil, cacheFolder: String? = kernelCacheFolder()
  ) throws(BackendError) {
    context = try OpenCLContext(device, memoryLimit: memoryLimit)
    programs = ProgramCache(context, folder: cacheFolder)
    staging = StagingRing(context)
  }

  deinit {
    _ = context.cl.clFinish(context.queue)
    programs.save(atMost: 10)
  }

  package var device: DeviceDescription { context.device.description }
  /// Bytes of all live buffers.
  package var allocatedBytes: Int { context.allocatedBytes }

  // MARK: Memory

  package func allocate(_ byteCount: Int) throws(BackendError) -> OpenCLBuffer { try context.allocate(byteCount) }

  package func slice(_ buffer: OpenCLBuffer, _ range: Range<Int>) throws(BackendError) -> OpenCLBuffer {
    try buffer.slice(range)
  }

  package func copy(_ bytes: UnsafeRawBufferPointer, to buffer: OpenCLBuffer) throws(BackendError) {
    precondition(bytes.count <= buffer.byteCount, "OpenCL: \(bytes.count) bytes into a buffer of \(buffer.byteCount)")
    if bytes.isEmpty { return }
    if bytes.count <= StagingRing.largestWrite { return try staging.write(bytes, to: buffer.memory) }
    try context.check(
      context.cl.clEnqueueWriteBuffer(
        context.queue, buffer.memory, cl_bool(CL_TRUE), 0, bytes.count, bytes.baseAddress, 0, nil, nil),
      "clEnqueueWriteBuffer of \(bytes.count.formattedBytes)")
  }

  package func copy(_ buffer: OpenCLBuffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    precondition(bytes.count <= buffer.byteCount, "OpenCL: \(bytes.count) bytes from a buffer of \(buffer.byteCount)")
    if bytes.isEmpty { return }
    try staging.drain()
    try context.check(
      context.cl.clEnqueueReadBuffer(
        context.queue, buffer.memory, cl_bool(CL_TRUE), 0, bytes.count, bytes.baseAddress, 0, nil, nil),
      "clEnqueueReadBuffer of \(bytes.count.formattedBytes)")
  }

  // MARK: Kernels

  /// Launches between two flushes: the device starts early, and a weak GPU's watchdog sees short batches.
  private static let launchesPerFlush = 16

  package func run(_ kernels: [OpenCLKernel]) throws(BackendError) {
    let progress = programs.untriedCount > 0 ? ProgressLine("Starting kernels", total: kernels.count) : nil
    var count = 0
    for kernel in kernels {
      progress?.next()
      for launch in kernel.launches {
        let status = launch.enqueue(on: context)
        if status != CL_SUCCESS { try context.check(status, "clEnqueueNDRangeKernel(\(launch.entry))") }
        // Waited for where someone looks on.
        if programs.untriedCount > 0, programs.tries(launch.program), progress != nil {
          try context.check(context.cl.clFinish(context.queue), "clFinish after \(launch.entry)")
        }
        count += 1
        if count % Self.launchesPerFlush == 0 { try context.check(context.cl.clFlush(context.queue), "clFlush") }
      }
    }
    try context.check(context.cl.clFlush(context.queue), "clFlush")
  }

  package func profile(_ kernels: [OpenCLKernel]) throws(BackendError) -> [[RunProfile.Launch]] {
    let queue: ProfilingQueue
    if let profilingQueue {
      queue = profilingQueue
    } else {
      queue = try ProfilingQueue(context)
      profilingQueue = queue
    }
    return try queue.run(kernels)
  }
}
