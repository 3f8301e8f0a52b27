/// The way from a traced graph to the one that a plan runs: a list of passes, each in a file of `Passes`.
package enum Compiler {
  package struct Pass: Sendable {
    package let name: String
    /// Whether plans need it; the others only make them faster.
    let isRequired: Bool
    let apply: @Sendable (inout LoweredGraph, Target) -> Void

    init(
      _ name: String, isRequired: Bool = false, _ apply: @escaping @Sendable (inout LoweredGraph, Target) -> Void
    ) {
      self.name = name
      self.isRequired = isRequired
      self.apply = apply
    }
  }

  /// What the user wishes, and what the device can do.
  package struct Target {
    let options: CompileOptions
    let prepare: (KernelRequest) -> Prepared?
    let batchTileBytes: Int
  }

  /// In the order in which they run.
  package static let passes: [Pass] = [
    .decompose, .fusePointwise, .mergeChannelSums, .fuseEpilogues, .foldChannelScales, .fusePoolings, .tileBatch,
    .mergeNormalizationGradients, .separatePackOperands,
  ]

  /// What `wanted` and the graph's updates need, after all passes.
  ///
  /// - Parameter watch: shown the graph after each pass; its description is the listing.
  package static func lower(
    _ graph: Graph, wanted: [Int], for target: Target, watch: (Pass, LoweredGraph) -> Void = { _, _ in }
  ) -> LoweredGraph {
    var lowered = LoweredGraph(graph, wanted: wanted)
    let fuses = target.options.fuses && !target.options.checksNumbers
    for pass in passes where pass.isRequired || fuses {
      pass.apply(&lowered, target)
      watch(pass, lowered)
    }
    return lowered
  }
}

extension Compiler.Target {
  package init(_ backend: some Backend, options: CompileOptions) {
    self.init(options: options, prepare: backend.prepare, batchTileBytes: backend.device.batchTileBytes)
  }
}
