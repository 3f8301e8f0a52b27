// The images of a batch mostly do not see each other: a few of them at a time can pass through the whole graph while
// what they leave behind still lies in the cache.

extension Compiler.Pass {
  /// Rows of the batch go through the graph a few at a time.
  static let tileBatch = Self("tile the batch") { graph, target in
    guard let tiling = BatchTiling(graph) else { return }
    if let rows = target.options.batchTileRows ?? tiling.rows(for: target.batchTileBytes) {
      graph.tileBatch(tiling, rows: rows)
    }
  }
}

/// How the nodes of a graph fall into rows, the samples of its batch.
///
/// A node whose row i depends on no other row is computed once for each tile of rows; a sum over the rows is computed
/// for each tile and added up. Whatever needs all rows at once (batch statistics, the optimizer) separates the tiles
/// before it from those behind it.
package struct BatchTiling {
  /// What tiles of a node's operands make.
  private enum Part {
    /// All rows at once.
    case whole
    /// Those rows of the result.
    case rows
    /// A summand of the result.
    case sum
    /// The mean over those rows, of which the result is the weighted mean.
    case mean
  }

  private let graph: LoweredGraph
  private let batch: Int
  private var parts: [Part] = []
  /// Operands of which a tile reads its own rows.
  private var rowOperands: [[Int]] = []
  /// Number of times that all rows must be there before the node can run.
  private var levels: [Int] = []
  /// Nodes whose tiles somebody reads as one value.
  private var joined: Set<Int> = []

  /// Looks at `graph`; `nil` where it has no convolution that could go by tiles.
  package init?(_ graph: LoweredGraph) {
    let images = graph.nodes.first { $0.op.isForwardConvolution }?.inputs[0]
    guard let images, let batch = graph.nodes[images].type.shape.first, batch > 1 else { return nil }
    self.graph = graph
    self.batch = batch
    let stationary = graph.stationaryNodes()
    for (id, node) in graph.nodes.enumerated() {
      let (part, rows) = fall(node, stationary) ?? (.whole, [])
      parts.append(part)
      rowOperands.append(rows)
      var level = 0
      for (position, input) in node.inputs.enumerated() {
        let isTile = parts[input] != .whole && (part != .whole && (rows.isEmpty || rows.contains(position)))
        if parts[input] != .whole, !isTile { joined.insert(input) }
        level = max(level, levels[input] + (parts[input] == .whole || isTile ? 0 : 1))
      }
      levels.append(level)
      if graph.roots.contains(id), part != .whole { joined.insert(id) }
    }
  }

  /// What a tile of `node` is, and which operands it reads by rows: none where it adds up what operands' tiles are.
  private func fall(_ node: Graph.Node, _ stationary: Set<Int>) -> (Part, [Int])? {
    func leads(_ position: Int) -> Bool {
      let input = node.inputs[position]
      return graph.nodes[input].type.shape.first == batch && (parts[input] == .whole || parts[input] == .rows)
    }
    func rows(_ positions: [Int]) -> (Part, [Int])? {
      let all = positions + fullEpilogueOperands(node)
      guard node.type.shape.first == batch, all.allSatisfy(leads),
        all.contains(where: { !stationary.contains(node.inputs[$0]) })
      else { return nil }
      return (.rows, all)
    }
    func sum(_ positions: [Int], _ part: Part = .sum) -> (Part, [Int])? {
      node.epilogue == nil && positions.allSatisfy(leads) ? (part, positions) : nil
    }
    func sameAsOperands() -> (Part, [Int])? {
      guard let first = node.inputs.first.map({ parts[$0] }), first == .sum || first == .mean,
        node.inputs.allSatisfy({ parts[$0] == first })
      else { return nil }
      return (first, [])
    }
    switch node.op.facts.batch(node.operands.map { graph.nodes[$0].type }, node.type, of: batch) {
    case .whole: return nil
    case .rows(let positions): return rows(positions)
    case .sum(let positions): return sum(positions)
    case .mean(let positions): return sum(positions, .mean)
    case .asOperands(let takesRows): return takesRows && parts[node.inputs[0]] == .rows ? rows([0]) : sameAsOperands()
    }
  }

  /// Positions of operands of the epilogue that have an element for each one of the result.
  private func fullEpilogueOperands(_ node: Graph.Node) -> [Int] {
    guard let arity = node.op.arity, node.epilogue != nil else { return [] }
    return (arity..<node.inputs.count).filter {
      EpilogueOperandKind(graph.nodes[node.inputs[$0]].type, of: node.resultType) == .full
    }
  }
}

// MARK: - The size of a tile

extension BatchTiling {
  /// Rows of which what is alive together takes about `byteCount`; `nil` where tiles would not pay: everything fits
  /// anyway, much is read again after all rows are there, or the weights that every tile reads are large.
  package func rows(for byteCount: Int) -> Int? {
    var alive = 0, most = 0, total = 0, kept = 0, shared = 0
    var lastUse = [Int](repeating: 0, count: graph.nodes.count)
    for (id, node) in graph.nodes.enumerated() { for input in node.inputs { lastUse[graph.storageRoot(input)] = id } }
    for (id, node) in graph.nodes.enumerated() where parts[id] != .whole {
      if case .reshape = node.op { continue }
      for (position, input) in node.inputs.enumerated()
      where parts[input] == .whole && !rowOperands[id].contains(position) && node.op != .gather(.forward) {
        shared += graph.nodes[input].type.byteCount
      }
      guard parts[id] == .rows else {
        shared += node.type.byteCount
        continue
      }
      total += node.type.byteCount
      if lastUse[id] > id, levels[lastUse[id]] > levels[id] { kept += node.type.byteCount }
      alive += node.type.byteCount
      most = max(most, alive)
      for input in Set(node.inputs.map(graph.storageRoot)) where parts[input] == .rows && lastUse[input] == id {
        alive -= graph.nodes[input].type.byteCount
      }
    }
    guard most > byteCount, kept < total / 8, shared < byteCount / 2 else { return nil }
    let rows = max(byteCount / (most / batch), 1)
    // Multiples of 32 suit the alignment of small rows and the tiles of kernels: a quarter more is worth that.
    return rows < 24 ? rows : (rows + 8) / 32 * 32
  }

  /// Tiles of about equal size of at most `rows`, the last one up to half larger.
  private func tiles(_ rows: Int) -> [Range<Int>] {
    let count = (batch + rows - 1) / rows
    let size = (batch + count - 1) / count
    let step = rows % 32 == 0 ? (size + 31) / 32 * 32 : size
    var starts = Array(stride(from: 0, to: batch, by: step))
    if starts.count > 1, batch - starts.last! < step / 2 { starts.removeLast() }
    return zip(starts, starts.dropFirst() + [batch]).map { $0..<$1 }
  }
}

// MARK: - The tiled graph

extension LoweredGraph {
  /// Computes the rows of the batch tile by tile.
  package mutating func tileBatch(_ tiling: BatchTiling, rows: Int) {
    if let sequence = tiling.sequence(rows) { rebuild(sequence) }
  }
}

extension BatchTiling {
  /// The nodes in their new order; those that were there before keep their numbers.
  fileprivate func sequence(_ rows: Int) -> [(old: Int, node: Graph.Node)]? {
    let tiles = tiles(rows)
    guard tiles.count > 1 else { return nil }
    var sequence: [(old: Int, node: Graph.Node)] = []
    var extra = graph.nodes.count
    var pieces: [Int: [Int]] = [:]  // The tiles of a node.
    func append(_ node: Graph.Node) -> Int {
      sequence.append((extra, node))
      extra += 1
      return extra - 1
    }
    /// Tile `number` of operand `id`: a part of it where it was computed as a whole.
    func piece(_ id: Int, _ number: Int) -> Int {
      if let known = pieces[id] { return known[number] }
      let type = graph.nodes[id].type
      pieces[id] = tiles.map { tile in
        let starts = [tile.lowerBound] + type.shape.dropFirst().map { _ in 0 }
        let slice = Slice(starts: starts, steps: starts.map { _ in 1 })
        return append(
          Graph.Node(op: .slice(slice), inputs: [id], type: type.rows(tile.count), label: graph.nodes[id].label))
      }
      return pieces[id]![number]
    }

    let last = levels.max() ?? 0
    for level in 0...last {
      let members = graph.nodes.indices.filter { levels[$0] == level }
      for id in members where parts[id] == .whole && !graph.nodes[id].isUpdate {
        sequence.append((id, graph.nodes[id]))
      }
      let tiled = members.filter { parts[$0] != .whole }
      for (number, tile) in tiles.enumerated() {
        for id in tiled {
          var node = graph.nodes[id]
          for position in node.inputs.indices
          where rowOperands[id].contains(position)
            || (rowOperands[id].isEmpty && parts[node.inputs[position]] != .whole)
          {
            node.inputs[position] = piece(node.inputs[position], number)
          }
          if parts[id] == .rows {
            node.type = node.type.rows(tile.count)
            if let pooled = node.pooling?.input { node.pooling?.input = pooled.rows(tile.count) }
          }
          pieces[id, default: []].append(append(node))
        }
      }
      for id in tiled where joined.contains(id) { sequence.append((id, join(id, pieces[id]!, tiles))) }
    }
    for (id, node) in graph.nodes.enumerated() where node.isUpdate { sequence.append((id, node)) }
    return sequence
  }

  /// The node that makes one value of a node's tiles.
  private func join(_ id: Int, _ pieces: [Int], _ tiles: [Range<Int>]) -> Graph.Node {
    var node = Graph.Node(
      op: .concat(Concatenation(axis: 0)), inputs: pieces, type: graph.nodes[id].type, label: graph.nodes[id].label)
    if parts[id] != .rows {
      let terms = tiles.enumerated().map { number, tile in
        Expr.input(number) * .constant(parts[id] == .mean ? Double(tile.count) / Double(batch) : 1)
      }
      node.op = .pointwise(sum(of: terms[...]))
    }
    return node
  }

  /// Adds by halves: the rounding error of many tiles grows with the logarithm of their number.
  private func sum(of terms: ArraySlice<Expr>) -> Expr {
    guard terms.count > 1 else { return terms.first! }
    let middle = terms.startIndex + terms.count / 2
    return sum(of: terms[..<middle]) + sum(of: terms[middle...])
  }
}

extension TensorType {
  /// The type of that many rows.
  fileprivate func rows(_ count: Int) -> TensorType { TensorType(shape: [count] + shape.dropFirst(), dtype: dtype) }
}

extension Graph.Node {
  fileprivate var isUpdate: Bool { if case .update = op { true } else { false } }
}
