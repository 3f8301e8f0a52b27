/// What went wrong on a device: a code to act on, and a message that says what, where and what to do.
public struct BackendError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// No such device, no driver, or one that fails its self-test.
    case deviceUnavailable
    case outOfMemory
    /// A kernel did not compile; the message holds device, options and the head of the build log.
    case buildFailure
    /// The driver reported an error that leaves the device unusable.
    case deviceLost
    /// The device or backend cannot do what was asked.
    case unsupported
    /// Any other error of the driver.
    case driver
  }

  public var code: Code
  public var message: String
  /// For `outOfMemory`: what was asked for and what the device allows, in bytes.
  public var requestedBytes: Int?
  public var limitBytes: Int?
  /// For `outOfMemory` of a step: a batch size that should fit; 0 when not even one sample does.
  public var suggestedBatchSize: Int?

  public init(_ code: Code, _ message: String, requestedBytes: Int? = nil, limitBytes: Int? = nil) {
    self.code = code
    self.message = message
    self.requestedBytes = requestedBytes
    self.limitBytes = limitBytes
  }

  /// An allocation that the device refuses.
  package static func outOfMemory(requested: Int, limit: Int, on device: String, why: String) -> BackendError {
    BackendError(
      .outOfMemory,
      "\(device): out of memory: \(requested.formattedBytes) asked for, \(why) \(limit.formattedBytes); "
        + "use a smaller batch or model",
      requestedBytes: requested, limitBytes: limit)
  }

  public var description: String { message }
}

extension Int {
  /// `1536` is `1.50 KB`, in units of 1024, as memory is sold.
  public var formattedBytes: String {
    if self < 1024 { return "\(self) B" }
    var value = Double(self)
    var unit = 0
    let units = ["B", "KB", "MB", "GB", "TB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(units[unit])"
  }
}
