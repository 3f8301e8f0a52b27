import ApusCore

/// An operation bound to its memory; running it calls one closure.
package final class CPUKernel {
  typealias Body = () throws(BackendError) -> Void

  let body: Body
  var name: String { invocation.op.name }
  /// Keeps the memory alive that `body` reaches through pointers.
  private let invocation: Invocation<CPUBuffer>

  init(_ invocation: Invocation<CPUBuffer>, _ body: @escaping Body) {
    self.invocation = invocation
    self.body = body
  }
}
