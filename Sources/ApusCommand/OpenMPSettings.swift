import Foundation

/// Settings of GNU's OpenMP, whose threads oneDNN and the CPU backend share.
enum OpenMPSettings {
  /// Starts the program again with a shorter active wait, unless the user has set one.
  ///
  /// OpenMP reads its environment while it is loaded, before `main`, and by default a thread that is done spins for
  /// milliseconds. Beside other busy programs a training step then takes up to six times as long as with 1000 rounds,
  /// which on a quiet machine are as fast as the default.
  static func apply() {
    #if os(Linux)
      guard getenv("GOMP_SPINCOUNT") == nil, getenv("OMP_WAIT_POLICY") == nil else { return }
      setenv("GOMP_SPINCOUNT", "1000", 1)
      // Where this fails the program goes on with the default.
      execv("/proc/self/exe", CommandLine.unsafeArgv)
    #endif
  }
}
