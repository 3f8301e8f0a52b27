import Apus
import ApusCore
import Foundation

/// What `apus profile` prints: medians over steps.
struct ProfileReport: Encodable {
  /// Equal launches of a layer: those of the parts of a batch that is worked on in parts.
  struct Launch: Encodable {
    var name: String
    var operation: String
    var layer: String
    /// Of the operation's result.
    var shape: [Int]
    var launches = 1
    /// Of all of them together.
    var seconds: Double
    /// Of the sum of all launches.
    var share: Double
    /// Of the whole operation, beside its longest launch.
    var gflops: Double?
    var gigabytesPerSecond: Double?
  }

  struct Kind: Encodable {
    var operation: String
    var launches: Int
    var seconds: Double
    var share: Double
    var gflops: Double?
    var gigabytesPerSecond: Double
  }

  var title = ""
  var steps: Int
  /// In the order of the step; equal ones where the first of them is.
  var launches: [Launch] = []
  /// By operation, longest first.
  var kinds: [Kind] = []
  /// Sum of the launches.
  var launchSeconds: Double
  /// An ordinary step, without profiling.
  var stepSeconds: Double

  /// - Parameter profiles: of the same plan, at least one.
  init(_ profiles: [RunProfile], stepSeconds: Double) {
    steps = profiles.count
    self.stepSeconds = stepSeconds
    let operations = profiles[0].operations.indices.map { index in
      var operation = profiles[0].operations[index]
      for launch in operation.launches.indices {
        operation.launches[launch].duration =
          profiles.map { $0.operations[index].launches[launch].duration }.median
      }
      return operation
    }
    let total = operations.reduce(0) { $0 + $1.duration }
    launchSeconds = total
    let groups = Dictionary(grouping: operations.indices) { operations[$0].group }
    for (index, operation) in operations.enumerated() {
      let group = groups[operation.group]!
      guard group[0] == index else { continue }
      let operation = operation.joined(with: group.dropFirst().map { operations[$0] })
      let longest = operation.launches.indices.max {
        operation.launches[$0].duration < operation.launches[$1].duration
      }
      for (index, launch) in operation.launches.enumerated() {
        launches.append(
          Launch(
            name: launch.name, operation: operation.name, layer: operation.label, shape: operation.output.shape,
            launches: group.count, seconds: launch.duration, share: launch.duration / total,
            gflops: index == longest ? operation.gflops : nil,
            gigabytesPerSecond: index == longest ? operation.gigabytesPerSecond : nil))
      }
    }
    kinds = Dictionary(grouping: operations, by: \.name).map { name, operations in
      let seconds = operations.reduce(0) { $0 + $1.duration }
      let work = operations.reduce(0) { $0 + $1.floatingPointOperations }
      return Kind(
        operation: name, launches: operations.reduce(0) { $0 + $1.launches.count }, seconds: seconds,
        share: seconds / total, gflops: work > 0 ? work / seconds * 1e-9 : nil,
        gigabytesPerSecond: Double(operations.reduce(0) { $0 + $1.byteCount }) / seconds * 1e-9)
    }.sorted { $0.seconds > $1.seconds }
  }

  // MARK: As text

  /// - Parameter top: launches to list; the rest is one line.
  func printTables(top: Int) {
    print("\(title): medians of \(steps) steps\n")
    var rows = [["  TIME ms", " SHARE", "GFLOP/s", "  GB/s", "LAUNCHES", "LAUNCH", "LAYER", "RESULT"]]
    for launch in launches.prefix(top) {
      rows.append(
        Self.figures(launch.seconds, launch.share, launch.gflops, launch.gigabytesPerSecond)
          + [
            Self.count(launch.launches), launch.name, launch.layer.isEmpty ? "-" : launch.layer,
            launch.shape.shapeDescription,
          ])
    }
    let rest = launches.dropFirst(top)
    if !rest.isEmpty {
      let seconds = rest.reduce(0) { $0 + $1.seconds }
      let count = rest.reduce(0) { $0 + $1.launches }
      rows.append(Self.figures(seconds, seconds / launchSeconds, nil, nil) + [Self.count(count), "others"])
    }
    printTable(rows)

    print()
    printTable(
      [["  TIME ms", " SHARE", "GFLOP/s", "  GB/s", "LAUNCHES", "OPERATION"]]
        + kinds.map {
          Self.figures($0.seconds, $0.share, $0.gflops, $0.gigabytesPerSecond)
            + [Self.count($0.launches), $0.operation]
        })

    let outside = stepSeconds - launchSeconds
    let count = kinds.reduce(0) { $0 + $1.launches }
    print(String(format: "\n%9.3f ms in %d launches", 1e3 * launchSeconds, count))
    print(String(format: "%9.3f ms for an ordinary step, without profiling", 1e3 * stepSeconds))
    print(
      String(
        format: "%9.3f ms (%.1f %% of the step) between launches and on the host", 1e3 * outside,
        100 * outside / stepSeconds))
  }

  private static func count(_ launches: Int) -> String { String(format: "%8d", launches) }

  private static func figures(_ seconds: Double, _ share: Double, _ gflops: Double?, _ bandwidth: Double?) -> [String] {
    func cell(_ value: Double?, _ width: Int) -> String {
      let text = value.map { String(format: "%.1f", $0) } ?? ""
      return String(repeating: " ", count: max(0, width - text.count)) + text
    }
    return [String(format: "%9.3f", 1e3 * seconds), cell(100 * share, 4) + " %", cell(gflops, 7), cell(bandwidth, 6)]
  }
}

extension RunProfile.Operation {
  /// What operations have in common that are one line of the table.
  fileprivate var group: [String] {
    let types = (inputs + [output]).map { "\($0)" }
    return [name, label] + types + [request.epilogue.map { "\($0)" } ?? ""] + launches.map(\.name)
  }

  /// This operation and others of its group: sums of their times and work.
  fileprivate func joined(with others: [Self]) -> Self {
    var joined = self
    for other in others {
      joined.floatingPointOperations += other.floatingPointOperations
      joined.byteCount += other.byteCount
      for index in launches.indices { joined.launches[index].duration += other.launches[index].duration }
    }
    return joined
  }

  /// Over the time of all launches; `nil` where no operations are counted.
  var gflops: Double? { floatingPointOperations > 0 ? floatingPointOperations / duration * 1e-9 : nil }
  var gigabytesPerSecond: Double { Double(byteCount) / duration * 1e-9 }
}
