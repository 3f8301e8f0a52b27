import ApusCore

/// A backend that answers what plans ask as another one does.
protocol WrappingBackend: Backend {
  associatedtype Inner: Backend
  var inner: Inner { get }
}

extension WrappingBackend {
  var device: DeviceDescription { inner.device }
  func prepare(_ request: KernelRequest) -> Prepared? { inner.prepare(request) }
}
