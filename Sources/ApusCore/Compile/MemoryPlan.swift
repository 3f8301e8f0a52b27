/// Where every value of a plan lives: offsets into a few blocks, shared by values that are never alive together.
package struct MemoryPlan {
  /// A value's memory.
  package enum Location: Equatable {
    /// In the parameter's own memory, from this byte on.
    case parameter(node: Int, offset: Int)
    case constant(node: Int)
    case block(Int, offset: Int)
    /// Nothing to store.
    case none
  }

  package private(set) var locations: [Location] = []
  package private(set) var workspaces: [Location] = []
  /// Slices and concatenations that need no kernel: one of the two is a contiguous, aligned piece of the other's memory.
  package private(set) var views: Set<Int> = []
  package private(set) var blockSizes: [Int] = []
  /// Bytes of packed vectors that no node writes: they are zero from the start.
  package private(set) var gaps: [(block: Int, range: Range<Int>)] = []

  /// Sum of the blocks, in bytes.
  package var byteCount: Int { blockSizes.reduce(0, +) }

  private struct Storage {
    var size: Int
    var first: Int
    var last: Int
    var location: Location = .none
    /// Pieces that are written late: before `first`, the bytes in `range` are free for others.
    var pieces: [(range: Range<Int>, first: Int)] = []

    /// Bytes of the storage that no value alive from `otherFirst` to `otherLast` may share.
    func occupied(from otherFirst: Int, through otherLast: Int) -> [Range<Int>] {
      guard first <= otherLast, otherFirst <= last else { return [] }
      var ranges: [Range<Int>] = []
      var start = 0
      for piece in pieces where piece.first > otherLast {
        ranges.append(start..<piece.range.lowerBound)
        start = piece.range.upperBound
      }
      return ranges + [start..<size]
    }
  }

  /// Plans `graph`.
  ///
  /// - Parameters:
  ///   - stationary: nodes whose values outlast a run.
  ///   - workspaces: scratch bytes that each node's kernel needs.
  ///   - alignment: start of every value.
  ///   - blockLimit: most bytes of one block.
  ///   - reuses: whether values may share memory; off only to test that it changes nothing.
  ///   - overwritten: for heavy nodes, the operand whose memory the kernel would take for the result.
  package init(
    _ graph: LoweredGraph, stationary: Set<Int> = [], workspaces: [Int], alignment: Int, blockLimit: Int, reuses: Bool,
    overwritten: [Int: Int] = [:]
  ) {
    let nodes = graph.nodes
    let end = nodes.count
    var storages: [Storage] = []
    // For each node: its storage and the byte offset in it, or a leaf's location.
    var placement: [(storage: Int, offset: Int)?] = Array(repeating: nil, count: end)
    var leaf: [Location] = Array(repeating: .none, count: end)
    let aligned = { (size: Int) in (size + alignment - 1) / alignment * alignment }

    // Vectors that several nodes fill live through the whole run, as their gaps stay zero; a piece of one is free for
    // other values until it is computed.
    for (id, node) in nodes.enumerated() {
      guard node.op.facts.storage == .pieces, let offsets = Self.offsets(node, nodes) else { continue }
      storages.append(Storage(size: aligned(node.type.byteCount), first: 0, last: end))
      placement[id] = (storages.count - 1, 0)
      for (operand, start) in zip(node.inputs, offsets) {
        let root = graph.storageRoot(operand)
        placement[root] = (storages.count - 1, start)
        storages[storages.count - 1].pieces.append(
          (start..<(start + nodes[root].type.byteCount), stationary.contains(root) ? 0 : root))
      }
      storages[storages.count - 1].pieces.sort { $0.range.lowerBound < $1.range.lowerBound }
    }

    let lastUses = Self.lastUses(graph, lasting: graph.roots.union(stationary))
    // Rows that several nodes compute side by side are joined where they lie.
    for (id, node) in nodes.enumerated() where placement[id] == nil {
      guard let offsets = Self.offsets(node, nodes), offsets.allSatisfy({ $0 % alignment == 0 }) else { continue }
      let roots = node.inputs.map(graph.storageRoot)
      guard Set(roots).count == roots.count, roots.allSatisfy({ placement[$0] == nil && graph.ownsStorage($0) }) else {
        continue
      }
      // Until all of them were read for the last time, together and by themselves.
      let last = roots.reduce(lastUses[id]) { max($0, lastUses[$1]) }
      storages.append(Storage(size: aligned(node.type.byteCount), first: roots.min()!, last: last))
      for (root, offset) in zip(roots, offsets) { placement[root] = (storages.count - 1, offset) }
      placement[id] = (storages.count - 1, 0)
      views.insert(id)
    }

    for (id, node) in nodes.enumerated() where placement[id] == nil {
      switch node.op.facts.storage {
      case .parameter: leaf[id] = .parameter(node: id, offset: 0)
      case .constant: leaf[id] = .constant(node: id)
      case .targets: break
      case .feed:
        storages.append(Storage(size: aligned(node.type.byteCount), first: 0, last: end))
        placement[id] = (storages.count - 1, 0)
      case .view:
        placement[id] = placement[node.inputs[0]]
        leaf[id] = leaf[node.inputs[0]]
      case .own, .piece, .pieces:
        if node.epilogue == nil, let offset = Self.viewOffset(node, nodes, alignment),
          let view = Self.shifted(placement[node.inputs[0]], leaf[node.inputs[0]], by: offset, alignment)
        {
          (placement[id], leaf[id]) = view
          views.insert(id)
          break
        }
        var candidates: [Int] = []
        if case .pointwise = node.op {
          candidates = node.inputs
        } else if let operand = overwritten[id],
          !node.operands.contains(where: { placement[$0]?.storage == placement[operand]?.storage })
        {
          // The op's own operands are read in any order: none of them may lie there.
          candidates = [operand]
        }
        if reuses, let input = Self.overwritable(candidates, by: id, nodes, placement, storages) {
          placement[id] = placement[input]
        } else {
          let first = stationary.contains(id) ? 0 : id
          storages.append(Storage(size: aligned(node.type.byteCount), first: first, last: id))
          placement[id] = (storages.count - 1, 0)
        }
      }
      if let place = placement[id] { storages[place.storage].last = max(storages[place.storage].last, lastUses[id]) }
    }
    for (id, place) in placement.enumerated() {
      if let place { storages[place.storage].last = max(storages[place.storage].last, lastUses[id]) }
    }

    let firstWorkspace = storages.count
    for (id, size) in workspaces.enumerated() where size > 0 {
      storages.append(Storage(size: aligned(size), first: id, last: id))
    }
    blockSizes = Self.assign(&storages, blockLimit: blockLimit, reuses: reuses)

    locations = nodes.indices.map { id in
      guard let place = placement[id], case .block(let block, let offset) = storages[place.storage].location else {
        return leaf[id]
      }
      return .block(block, offset: offset + place.offset)
    }
    for (id, node) in nodes.enumerated() {
      guard node.op.facts.storage == .pieces, let place = placement[id],
        case .block(let block, let start) = storages[place.storage].location
      else { continue }
      var end = start
      for piece in storages[place.storage].pieces {
        if start + piece.range.lowerBound > end { gaps.append((block, end..<(start + piece.range.lowerBound))) }
        end = start + piece.range.upperBound
      }
      if start + node.type.byteCount > end { gaps.append((block, end..<(start + node.type.byteCount))) }
    }
    var next = firstWorkspace
    self.workspaces = workspaces.map { size in
      guard size > 0 else { return .none }
      defer { next += 1 }
      return storages[next].location
    }
  }

  /// The last node that reads each node, views included; `lasting` ones are read at the end.
  private static func lastUses(_ graph: LoweredGraph, lasting: Set<Int>) -> [Int] {
    var last = Array(graph.nodes.indices)
    for (id, node) in graph.nodes.enumerated() { for input in node.inputs { last[input] = id } }
    for id in lasting { last[id] = graph.nodes.count }
    return last
  }

  /// Byte offset of a node in its operand, where it is a piece of it that may start there.
  private static func viewOffset(_ node: Graph.Node, _ nodes: [Graph.Node], _ alignment: Int) -> Int? {
    let facts = node.op.facts
    guard facts.storage == .piece else { return nil }
    let operand = nodes[node.inputs[0]].type
    guard let element = facts.offset(in: operand, of: node.type) else { return nil }
    let offset = element * operand.dtype.byteCount
    return offset % alignment == 0 ? offset : nil
  }

  /// Byte offset of each operand in a node that is no more than its operands one after another.
  private static func offsets(_ node: Graph.Node, _ nodes: [Graph.Node]) -> [Int]? {
    node.op.facts.offsets(of: node.inputs.map { nodes[$0].type }, in: node.type)?.map {
      $0 * node.type.dtype.byteCount
    }
  }

  private static func shifted(
    _ placement: (storage: Int, offset: Int)?, _ leaf: Location, by offset: Int, _ alignment: Int
  ) -> ((storage: Int, offset: Int)?, Location)? {
    if let placement { return ((placement.storage, placement.offset + offset), .none) }
    if case .parameter(let node, let start) = leaf { return (nil, .parameter(node: node, offset: start + offset)) }
    return nil
  }

  /// One of `candidates`, operands that node `id` reads element by element before it writes them, that dies there and
  /// whose memory the result can take.
  private static func overwritable(
    _ candidates: [Int], by id: Int, _ nodes: [Graph.Node], _ placement: [(storage: Int, offset: Int)?],
    _ storages: [Storage]
  ) -> Int? {
    candidates.first { input in
      guard let place = placement[input], place.offset == 0 else { return false }
      let storage = storages[place.storage]
      let others = nodes[id].inputs.filter { $0 != input && placement[$0]?.storage == place.storage }
      return storage.last == id && others.isEmpty && nodes[input].type.shape == nodes[id].type.shape
        && nodes[input].type.byteCount == nodes[id].type.byteCount
    }
  }

  /// Gives each storage the lowest place that is free for its whole life, larger ones first.
  private static func assign(_ storages: inout [Storage], blockLimit: Int, reuses: Bool) -> [Int] {
    var sizes: [Int] = []
    var placed: [[Int]] = []
    let order = storages.indices.sorted { (storages[$0].size, $1) > (storages[$1].size, $0) }
    for id in order {
      let storage = storages[id]
      var block = 0
      while true {
        if block == sizes.count {
          sizes.append(0)
          placed.append([])
        }
        let taken = placed[block].flatMap { other -> [Range<Int>] in
          guard case .block(_, let start) = storages[other].location else { return [] }
          let ranges =
            reuses
            ? storages[other].occupied(from: storage.first, through: storage.last) : [0..<storages[other].size]
          return ranges.map { (start + $0.lowerBound)..<(start + $0.upperBound) }
        }
        let offset = lowestGap(for: storage.size, between: taken)
        if offset + storage.size <= blockLimit || placed[block].isEmpty {
          storages[id].location = .block(block, offset: offset)
          sizes[block] = max(sizes[block], offset + storage.size)
          placed[block].append(id)
          break
        }
        block += 1
      }
    }
    return sizes
  }

  private static func lowestGap(for size: Int, between taken: [Range<Int>]) -> Int {
    var offset = 0
    for range in taken.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if offset + size <= range.lowerBound { break }
      offset = max(offset, range.upperBound)
    }
    return offset
  }
}
