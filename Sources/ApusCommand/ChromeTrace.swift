import ApusCore
import Foundation

/// One run in the Trace Event Format, which Perfetto and Chrome show as a timeline: launches below the layers that they
/// work for.
///
/// The format: "Trace Event Format", Google, 2016.
struct ChromeTrace: Encodable {
  /// A complete event (phase `X`), or a name of the process (phase `M`). Times are microseconds.
  struct Event: Encodable {
    var name: String
    var cat: String
    var ph: String
    var ts: Double = 0
    var dur: Double?
    var pid = 1
    var tid = 1
    var args: Arguments
  }

  /// What is shown of a chosen event.
  struct Arguments: Encodable {
    var name: String?
    var operation: String?
    var layer: String?
    var inputs: [String]?
    var output: String?
    var node: String?
    /// Of the whole operation.
    var gflops: Double?
    var gigabytesPerSecond: Double?
  }

  private var traceEvents: [Event] = []
  private var displayTimeUnit = "ms"

  init(_ profile: RunProfile, title: String) {
    traceEvents.append(Event(name: "process_name", cat: "__metadata", ph: "M", args: Arguments(name: title)))
    append(profile.operations[...], depth: 0)
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(Array(try encoder.encode(self)), to: path)
  }

  /// Appends an event for each run of neighbours in one layer, from the `depth`-th part of their labels on, and what
  /// lies within it.
  private mutating func append(_ operations: ArraySlice<RunProfile.Operation>, depth: Int) {
    var rest = operations
    while let first = rest.first {
      guard let part = first.part(depth) else {
        append(first)
        rest.removeFirst()
        continue
      }
      let group = rest.prefix { $0.part(depth) == part }
      let launches = group.flatMap(\.launches)
      if let start = launches.first?.start, let last = launches.last {
        traceEvents.append(
          Event(
            name: String(part), cat: "layer", ph: "X", ts: 1e6 * start, dur: 1e6 * (last.start + last.duration - start),
            args: Arguments(layer: first.label)))
      }
      append(group, depth: depth + 1)
      rest = rest.dropFirst(group.count)
    }
  }

  private mutating func append(_ operation: RunProfile.Operation) {
    for launch in operation.launches {
      traceEvents.append(
        Event(
          name: launch.name, cat: operation.name, ph: "X", ts: 1e6 * launch.start, dur: 1e6 * launch.duration,
          args: Arguments(
            operation: operation.name, layer: operation.label, inputs: operation.inputs.map { "\($0)" },
            output: "\(operation.output)", node: operation.line, gflops: operation.gflops,
            gigabytesPerSecond: operation.gigabytesPerSecond)))
    }
  }
}

extension RunProfile.Operation {
  /// The `index`-th scope of the label: `block` of `stage.block.conv2d` for 1.
  fileprivate func part(_ index: Int) -> Substring? {
    let parts = label.split(separator: ".")
    return index < parts.count ? parts[index] : nil
  }
}
