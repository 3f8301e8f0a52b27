import Apus

/// The result of `prepare`; `nil`, and a note on standard error, where this machine does not have the device.
func unlessMissing<Result>(_ device: Device, _ prepare: () throws -> Result) throws -> Result? {
  do {
    return try prepare()
  } catch let error as BackendError where error.code == .deviceUnavailable {
    Device.printNote("skipped on \(device): \(error)")
    return nil
  }
}
