#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The C library's functions of numbers on the host, so that one file knows its name on each system.
extension Double {
  package static func cos(_ x: Double) -> Double { _cos(x) }
  package static func sin(_ x: Double) -> Double { _sin(x) }
  package static func tan(_ x: Double) -> Double { _tan(x) }
  package static func atan(_ x: Double) -> Double { _atan(x) }
  package static func exp(_ x: Double) -> Double { _exp(x) }
  package static func log(_ x: Double) -> Double { _log(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { _pow(x, y) }
}

private func _cos(_ x: Double) -> Double { cos(x) }
private func _sin(_ x: Double) -> Double { sin(x) }
private func _tan(_ x: Double) -> Double { tan(x) }
private func _atan(_ x: Double) -> Double { atan(x) }
private func _exp(_ x: Double) -> Double { exp(x) }
private func _log(_ x: Double) -> Double { log(x) }
private func _pow(_ x: Double, _ y: Double) -> Double { pow(x, y) }
