import Synchronization

private let debugBuildWasNoted = Atomic(false)

/// Says, once a process, that a debug build is slow: it is taken for the library's own speed otherwise.
func noteDebugBuild(_ note: (String) -> Void) {
  #if DEBUG
    guard !debugBuildWasNoted.exchange(true, ordering: .relaxed) else { return }
    note("this is a debug build, which is many times slower; build with `swift build -c release`")
  #endif
}
