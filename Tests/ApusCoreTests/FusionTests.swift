import ApusCore
import Testing

@Suite struct FusionTests {
  private func lowered(_ graph: Graph, _ outputs: [Tensor]) -> LoweredGraph {
    var lowered = LoweredGraph(graph, wanted: outputs.map(\.id))
    lowered.fusePointwise()
    lowered.fuseEpilogues { _ in Prepared(takesEpilogue: true) }
    lowered.separatePackOperands()
    return lowered
  }

  @Test func chainBecomesOneNode() {
    let graph = Graph()
    let x = graph.input("x", shape: [4, 5])
    let y = relu(x * 2 + 1) * x
    #expect(
      lowered(graph, [y]).description == """
        %0 = input() : float32[4, 5]  // x
        %1 = pointwise(%0) maximum((x0 * 2) + 1, 0) * x0 : float32[4, 5]
        """)
  }

  @Test func biasAndActivationFoldIntoTheConvolution() {
    let graph = Graph()
    let x = graph.input("x", shape: [2, 8, 8, 3])
    let kernel = graph.input("kernel", shape: [3, 3, 3, 16])
    let bias = graph.input("bias", shape: [16])
    let y = relu(conv2D(x, kernel) + bias)
    #expect(
      lowered(graph, [y]).description == """
        %0 = input() : float32[2, 8, 8, 3]  // x
        %1 = input() : float32[3, 3, 3, 16]  // kernel
        %2 = input() : float32[16]  // bias
        %3 = conv2D(%0, %1, %2) stride 1x1 then maximum(x0 + x1, 0) : float32[2, 6, 6, 16]
        """)
  }

  /// Convolution, bias, ReLU and pooling become one node; a pooling whose input has another reader stays.
  @Test func poolingFoldsIntoTheConvolution() {
    let graph = Graph()
    let x = graph.input("x", shape: [2, 8, 8, 3])
    let kernel = graph.input("kernel", shape: [3, 3, 3, 16])
    let bias = graph.input("bias", shape: [16])
    let convolution = relu(conv2D(x, kernel) + bias)
    let y = maxPool2D(convolution, size: 2)
    func listing(_ outputs: [Tensor], _ canFuse: Bool) -> String {
      var plan = lowered(graph, outputs)
      plan.fusePoolings { request in
        #expect(request.pooling?.tilesImage == true && request.operands.map(\.shape) == [x.shape, kernel.shape])
        #expect(request.result.shape == [2, 6, 6, 16])
        return Prepared(takesPooling: canFuse)
      }
      return plan.description
    }
    #expect(
      listing([y], true) == """
        %0 = input() : float32[2, 8, 8, 3]  // x
        %1 = input() : float32[3, 3, 3, 16]  // kernel
        %2 = input() : float32[16]  // bias
        %3 = conv2D(%0, %1, %2) stride 1x1 then maximum(x0 + x1, 0) then pool2D max 2x2 stride 2x2 : \
        float32[2, 3, 3, 16]
        """)
    #expect(listing([y], false).contains("%4 = pool2D(%3)"))
    #expect(listing([y, convolution], true).contains("%4 = pool2D(%3)"))
  }

  /// The ReLU's mask is taken from its result, so the sum before it is never stored, backward included.
  @Test func reluMaskFoldsIntoTheInputGradient() {
    let graph = Graph()
    let x = graph.input("x", shape: [2, 8])
    let (w1, w2) = (graph.input("w1", shape: [8, 6]), graph.input("w2", shape: [6, 4]))
    let loss = reduceSum(matMul(relu(matMul(x, w1)), w2))
    let gradients = graph.gradients(of: loss, with: [w1, w2])
    let text = lowered(graph, gradients).description
    #expect(text.contains("A·Bᵀ then (x1 > 0 ? x0 : 0)"), "\(text)")
  }

  @Test func sharedValuesAreNotComputedTwice() {
    let graph = Graph()
    let x = graph.input("x", shape: [4])
    let shared = exp(x)
    #expect(lowered(graph, [shared * 2, shared * 3]).nodes.count == 4)
  }

  @Test func wantedValuesSurvive() {
    let graph = Graph()
    let x = graph.input("x", shape: [4])
    let middle = exp(x)
    let plan = lowered(graph, [middle, relu(middle)])
    #expect(plan.nodes.count == 3)
  }

  @Test func packedOperandsOwnTheirMemory() {
    let graph = Graph()
    let x = graph.input("x", shape: [2, 3])
    let y = relu(x)
    let packed = graph.pack([x, y, y], offsets: [0, 128, 256], count: 384)
    let plan = lowered(graph, [packed])
    // The leaf and the second use of y are copied.
    #expect(plan.nodes.filter { if case .pointwise = $0.op { true } else { false } }.count == 3)
  }
}

@Suite struct MemoryPlanTests {
  /// A network's training step: no two values that are alive together overlap, with or without reuse.
  @Test(arguments: [true, false], [Int.max, 40_000]) func valuesAliveTogetherAreApart(_ reuses: Bool, _ limit: Int)
    throws
  {
    let graph = Graph()
    let x = graph.input("x", shape: [4, 12, 12, 3])
    let kernels = [
      graph.input("k1", shape: [3, 3, 3, 8]), graph.input("k2", shape: [3, 3, 8, 8]),
      graph.input("d", shape: [72, 10]),
    ]
    let h = maxPool2D(relu(conv2D(x, kernels[0], padding: .same)), size: 2)
    let r = relu(h + conv2D(h, kernels[1], padding: .same))
    let loss = reduceMean(logSoftmax(matMul(maxPool2D(r, size: 2, padding: .same).flattened(), kernels[2])))
    let gradients = graph.gradients(of: loss, with: kernels)
    try #require(graph.failure == nil)
    let packed = graph.pack(gradients, offsets: [0, 256, 832], count: 1664)
    var lowered = LoweredGraph(graph, wanted: [packed.id, loss.id])
    lowered.fusePointwise()
    lowered.separatePackOperands()
    let plan = MemoryPlan(
      lowered, workspaces: lowered.nodes.map { $0.type.count > 100 ? 1000 : 0 }, alignment: 64, blockLimit: limit,
      reuses: reuses)
    let nodes = lowered.nodes

    func lastUse(_ id: Int) -> Int {
      if lowered.roots.contains(id) { return nodes.count }
      return nodes.indices.filter { nodes[$0].inputs.contains(id) }.map { user in
        lowered.storageRoot(user) == user && !plan.views.contains(user) ? user : lastUse(user)
      }.max() ?? id
    }
    struct Value { var block: Int, range: Range<Int>, life: ClosedRange<Int>, id: Int }
    var values: [Value] = []
    for id in nodes.indices {
      if case .block(let block, let offset) = plan.locations[id], lowered.ownsStorage(id) {
        values.append(
          Value(block: block, range: offset..<(offset + nodes[id].type.byteCount), life: id...lastUse(id), id: id))
      }
      if case .block(let block, let offset) = plan.workspaces[id] {
        values.append(Value(block: block, range: offset..<(offset + 1000), life: id...id, id: id))
      }
    }
    #expect(values.count > 15)
    for a in values {
      for b in values where a.block == b.block && a.range.overlaps(b.range) && a.range != b.range || a.id == b.id {
        #expect(a.id == b.id || !a.life.overlaps(b.life), "\(lowered.nodes[a.id].line(a.id)) and %\(b.id)")
      }
    }
    // What no gradient fills stays zero.
    guard case .block(let packBlock, let packStart) = plan.locations[lowered.index[packed.id]!] else {
      Issue.record("the packed vector has no memory")
      return
    }
    let gaps = [216..<256, 1552..<1664]
    #expect(plan.gaps.allSatisfy { $0.block == packBlock })
    #expect(plan.gaps.map(\.range) == gaps.map { (packStart + 4 * $0.lowerBound)..<(packStart + 4 * $0.upperBound) })
    for gap in gaps {
      let bytes = (packStart + 4 * gap.lowerBound)..<(packStart + 4 * gap.upperBound)
      #expect(!values.contains { $0.block == packBlock && $0.range.overlaps(bytes) })
    }
    for (block, size) in plan.blockSizes.enumerated() where plan.blockSizes.count > 1 {
      #expect(size <= limit || values.filter { $0.block == block }.count == 1)
    }
  }

  @Test func reuseSavesMemory() {
    let graph = Graph()
    var x = graph.input("x", shape: [64, 64])
    for _ in 0..<8 { x = matMul(x, x) }
    func bytes(_ reuses: Bool) -> Int {
      let lowered = LoweredGraph(graph, wanted: [x.id])
      let none = [Int](repeating: 0, count: lowered.nodes.count)
      return MemoryPlan(lowered, workspaces: none, alignment: 64, blockLimit: .max, reuses: reuses).byteCount
    }
    #expect(bytes(false) == 9 * 16384)
    #expect(bytes(true) == 3 * 16384)
  }

  /// A value that dies before a piece of a packed vector is computed lies in that piece; an operand of it does not.
  @Test func piecesHoldOthersUntilTheyAreComputed() throws {
    let graph = Graph()
    let x = graph.input("x", shape: [64, 64])
    let early = matMul(x, x)
    let operand = matMul(early, early)
    let packed = graph.pack([matMul(operand, operand)], offsets: [0], count: 4128)
    let lowered = LoweredGraph(graph, wanted: [packed.id])
    let none = [Int](repeating: 0, count: lowered.nodes.count)
    func plan(stationary: Set<Int> = []) -> MemoryPlan {
      MemoryPlan(lowered, stationary: stationary, workspaces: none, alignment: 64, blockLimit: .max, reuses: true)
    }
    #expect(plan().byteCount == 16512 + 2 * 16384)
    #expect(plan().locations[lowered.index[early.id]!] == plan().locations[lowered.index[packed.id]!])
    // A piece that outlasts the run is never free.
    let piece = lowered.nodes[lowered.index[packed.id]!].inputs[0]
    #expect(plan(stationary: [piece]).byteCount == 16512 + 3 * 16384)
  }

  /// Joined rows that are a piece of a packed vector are joined there.
  @Test func joinedRowsStayInTheirPiece() throws {
    let graph = Graph()
    let x = graph.input("x", shape: [64, 64])
    let first = matMul(x, x)
    let joined = concat([first, matMul(first, x)], axis: 0)
    let packed = graph.pack([joined], offsets: [0], count: 8192)
    let lowered = LoweredGraph(graph, wanted: [packed.id])
    let plan = MemoryPlan(
      lowered, stationary: [], workspaces: [Int](repeating: 0, count: lowered.nodes.count), alignment: 64,
      blockLimit: .max, reuses: true)
    #expect(plan.locations[lowered.index[joined.id]!] == plan.locations[lowered.index[packed.id]!])
  }

  /// Rows that are read together later than each by itself keep their memory until then.
  @Test func joinedRowsLiveAsLongAsTheyAreReadTogether() throws {
    let graph = Graph()
    let x = graph.input("x", shape: [16, 16])
    let first = relu(x)
    let joined = concat([first, softplus(first)], axis: 0)
    // The last to read the first rows, element by element.
    let after = first * first
    let lowered = LoweredGraph(graph, wanted: [joined.id, after.id])
    let plan = MemoryPlan(
      lowered, stationary: [], workspaces: [Int](repeating: 0, count: lowered.nodes.count), alignment: 64,
      blockLimit: .max, reuses: true)
    #expect(plan.views == [lowered.index[joined.id]!])
    #expect(plan.locations[lowered.index[after.id]!] != plan.locations[lowered.index[first.id]!])
  }
}
