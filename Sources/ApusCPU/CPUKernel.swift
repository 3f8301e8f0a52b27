import ApusCore

/// An operation bound to its memory; running it calls one closure.
package final class CPUKernel {
  let body: () -> Void
  /// Keeps the memory alive that `body` reaches through pointers.
  private let operands: Invocation<CPUBuffer>

  init(_ operands: Invocation<CPUBuffer>, _ body: @escaping () -> Void) {
    self.operands = operands
    self.body = body
  }
}
