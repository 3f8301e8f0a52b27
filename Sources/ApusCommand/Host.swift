import CBenchmark

/// What can be measured of the machine and the process; `nil` where it cannot.
enum Host {
  /// Calls of the C allocator so far: by this program and Swift's runtime, and by the libraries that it calls.
  static var allocations: (own: Int, libraries: Int)? {
    guard apus_counts_allocations() else { return nil }
    let own = apus_own_allocation_count()
    return (Int(own), Int(apus_allocation_count() - own))
  }

  /// Float32 GFLOP/s that `threads` threads reach with fused multiply-adds on registers.
  static func peakGflops(threads: Int) -> Double? {
    let rate = apus_fma_peak_gflops(Int32(clamping: threads))
    return rate > 0 ? rate : nil
  }
}
