import CBenchmark

/// What can be measured of the machine and the process; `nil` where it cannot.
enum Host {
  /// Calls of the C allocator in the whole process so far.
  static var allocationCount: Int? { apus_counts_allocations() ? Int(apus_allocation_count()) : nil }

  /// Float32 GFLOP/s that `threads` threads reach with fused multiply-adds on registers.
  static func peakGflops(threads: Int) -> Double? {
    let rate = apus_fma_peak_gflops(Int32(clamping: threads))
    return rate > 0 ? rate : nil
  }
}
