import ApusCPU
import Synchronization

private let missingLibraryWasNoted = Atomic(false)

extension Device {
  /// Says, once a process, which library the CPU backend does without.
  package static func noteMissingLibrary(_ note: (String) -> Void = printNote) {
    guard let text = CPUBackend.missing else { return }
    guard !missingLibraryWasNoted.exchange(true, ordering: .relaxed) else { return }
    note(text)
  }
}
