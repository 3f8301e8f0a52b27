import ApusCore
import COpenCL

/// Device memory, or a view of part of it; released with its last reference.
package final class OpenCLBuffer {
  let memory: cl_mem
  package let byteCount: Int
  /// The allocation that this is a view of, and where it starts there.
  private let parent: OpenCLBuffer?
  private let offset: Int
  private let context: OpenCLContext

  /// Takes over `memory`, whose bytes the context already counts.
  init(_ memory: cl_mem, byteCount: Int, in context: OpenCLContext) {
    self.memory = memory
    self.byteCount = byteCount
    self.context = context
    parent = nil
    offset = 0
  }

  private init(_ memory: cl_mem, viewing parent: OpenCLBuffer, offset: Int, byteCount: Int) {
    self.memory = memory
    self.byteCount = byteCount
    self.parent = parent
    self.offset = offset
    context = parent.context
  }

  deinit {
    _ = context.cl.clReleaseMemObject(memory)
    if parent == nil { context.allocatedBytes -= byteCount }
  }

  /// A view of `range`, which starts at a multiple of the device's alignment.
  func slice(_ range: Range<Int>) throws(BackendError) -> OpenCLBuffer {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= byteCount && !range.isEmpty,
      "OpenCL: the view \(range) does not lie in a buffer of \(byteCount) bytes")
    if range == 0..<byteCount { return self }
    // OpenCL knows no views of views.
    let root = parent ?? self
    let start = offset + range.lowerBound
    var region = cl_buffer_region(origin: start, size: range.count)
    let view = try context.made("clCreateSubBuffer of bytes \(start)..<\(start + range.count)") {
      context.cl.clCreateSubBuffer(
        root.memory, cl_mem_flags(CL_MEM_READ_WRITE), cl_buffer_create_type(CL_BUFFER_CREATE_TYPE_REGION), &region, $0)
    }
    return OpenCLBuffer(view, viewing: root, offset: start, byteCount: range.count)
  }
}
