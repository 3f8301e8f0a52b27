public import ApusCore

/// Work that is started run by run.
public protocol Workload {
  var device: DeviceDescription { get }
  /// Floating-point operations of one run, a multiply-add counted as two.
  var operations: Double { get }
  /// Starts one run; may return before it ends.
  func start() throws
  /// Waits for all runs that were started.
  func wait() throws
}

extension Workload {
  /// The time that `count` runs take together.
  public func duration(ofRuns count: Int) throws -> Duration {
    let start = ContinuousClock.now
    for _ in 0..<count { try self.start() }
    try wait()
    return ContinuousClock.now - start
  }
}
