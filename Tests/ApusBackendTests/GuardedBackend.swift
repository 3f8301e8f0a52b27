import ApusCPU

@testable import ApusCore

/// Any backend, each of its kernels alone in memory of its own: every operand lies between guard bytes, what is only
/// written is full of NaNs before. `damage` tells of kernels that wrote where they may not.
///
/// An operand that lies in another one, or partly so, is copied with it: what shares memory goes on sharing it.
final class GuardedBackend<B: Backend>: WrappingBackend {
  /// Memory of the plan, with its place in the allocation.
  struct Buffer {
    let memory: B.Buffer
    let allocation: Identity
    let range: Range<Int>
  }

  final class Identity {}

  let inner: B
  private let own: () throws(BackendError) -> (B, damage: () -> [String])
  private(set) var damage: [String] = []

  /// - Parameters:
  ///   - inner: holds the plan's memory.
  ///   - own: what a kernel is bound to and runs on, and what is found in that backend's own memory after it.
  init(_ inner: B, own: @escaping () throws(BackendError) -> (B, damage: () -> [String])) {
    self.inner = inner
    self.own = own
  }

  func allocate(_ byteCount: Int) throws(BackendError) -> Buffer {
    Buffer(memory: try inner.allocate(byteCount), allocation: Identity(), range: 0..<byteCount)
  }

  func slice(_ buffer: Buffer, _ range: Range<Int>) throws(BackendError) -> Buffer {
    let start = buffer.range.lowerBound
    return Buffer(
      memory: try inner.slice(buffer.memory, range), allocation: buffer.allocation,
      range: (start + range.lowerBound)..<(start + range.upperBound))
  }

  func copy(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer) throws(BackendError) {
    try inner.copy(bytes, to: buffer.memory)
  }

  func copy(_ buffer: Buffer, to bytes: UnsafeMutableRawBufferPointer) throws(BackendError) {
    try inner.copy(buffer.memory, to: bytes)
  }

  func kernel(for invocation: Invocation<Buffer>) throws(BackendError) -> GuardedKernel<B> {
    let (backend, damage) = try own()
    return try GuardedKernel(invocation, plan: inner, own: backend, ownDamage: damage)
  }

  func run(_ kernels: [GuardedKernel<B>]) throws(BackendError) {
    for kernel in kernels { damage += try kernel.run().map { "\(kernel.name): \($0)" } }
  }

  func profile(_ kernels: [GuardedKernel<B>]) throws(BackendError) -> [[RunProfile.Launch]] {
    throw BackendError(.unsupported, "guarded kernels are not timed")
  }
}

final class GuardedKernel<B: Backend> {
  let name: String
  private let plan: B, own: B
  private let ownDamage: () -> [String]
  private var regions: [Region] = []
  private var kernel: B.Kernel!

  /// Operands that share memory, with what lies between them.
  private struct Region {
    let allocation: GuardedBackend<B>.Identity
    var range: Range<Int>
    /// Of the plan's memory.
    var pieces: [(memory: B.Buffer, range: Range<Int>)] = []
    var isRead = false, isWritten = false
    var whole: B.Buffer?
  }

  fileprivate init(
    _ invocation: Invocation<GuardedBackend<B>.Buffer>, plan: B, own: B, ownDamage: @escaping () -> [String]
  ) throws(BackendError) {
    (self.plan, self.own, self.ownDamage) = (plan, own, ownDamage)
    name = "\(invocation.op.name) \(invocation.inputs.map(\.type)) to \(invocation.output.type)"
    var targets: Set<Int> = []
    if case .update(let update) = invocation.op { targets = Set(update.targets) }
    for (index, input) in invocation.inputs.enumerated() {
      add(input.buffer, input.type.byteCount, isRead: true, isWritten: targets.contains(index))
    }
    for input in invocation.epilogueInputs { add(input.buffer, input.type.byteCount, isRead: true, isWritten: false) }
    add(invocation.output.buffer, invocation.output.type.byteCount, isRead: false, isWritten: true)
    if let workspace = invocation.workspace {
      add(workspace, workspace.range.count, isRead: false, isWritten: true)
    }
    for index in regions.indices {
      regions[index].whole = try own.allocate(regions[index].range.count + 2 * MemoryGuards.width)
    }
    func moved(_ operand: Operand<GuardedBackend<B>.Buffer>) throws(BackendError) -> Operand<B.Buffer> {
      Operand(buffer: try place(of: operand.buffer, operand.type.byteCount), type: operand.type)
    }
    func moved(_ operands: [Operand<GuardedBackend<B>.Buffer>]) throws(BackendError) -> [Operand<B.Buffer>] {
      try operands.map { operand throws(BackendError) in try moved(operand) }
    }
    kernel = try own.kernel(
      for: Invocation(
        op: invocation.op, inputs: try moved(invocation.inputs), output: try moved(invocation.output),
        epilogue: invocation.epilogue, epilogueInputs: try moved(invocation.epilogueInputs),
        pooling: invocation.pooling, schedule: invocation.schedule,
        workspace: try invocation.workspace.map { buffer throws(BackendError) in
          try place(of: buffer, buffer.range.count)
        }, label: invocation.label, versions: invocation.versions))
  }

  private func add(_ buffer: GuardedBackend<B>.Buffer, _ byteCount: Int, isRead: Bool, isWritten: Bool) {
    let range = buffer.range.lowerBound..<(buffer.range.lowerBound + byteCount)
    var region = Region(
      allocation: buffer.allocation, range: range, pieces: [(buffer.memory, range)], isRead: isRead,
      isWritten: isWritten)
    regions.removeAll { other in
      guard other.allocation === region.allocation, other.range.overlaps(region.range) else { return false }
      region.range =
        min(other.range.lowerBound, region.range.lowerBound)..<max(other.range.upperBound, region.range.upperBound)
      region.pieces += other.pieces
      region.isRead = region.isRead || other.isRead
      region.isWritten = region.isWritten || other.isWritten
      return true
    }
    regions.append(region)
  }

  private func place(of buffer: GuardedBackend<B>.Buffer, _ byteCount: Int) throws(BackendError) -> B.Buffer {
    let region = regions.first {
      $0.allocation === buffer.allocation && $0.range.contains(buffer.range.lowerBound)
    }!
    let start = MemoryGuards.width + buffer.range.lowerBound - region.range.lowerBound
    return try own.slice(region.whole!, start..<(start + max(byteCount, 1)))
  }

  /// Runs the kernel on copies of its operands and copies its results back; what it damaged, in words.
  fileprivate func run() throws(BackendError) -> [String] {
    var before: [[UInt8]] = []
    for region in regions {
      var bytes = [UInt8](repeating: MemoryGuards.poison, count: region.range.count + 2 * MemoryGuards.width)
      if region.isRead {
        for piece in region.pieces { try transfer(piece, of: region, &bytes, isUpload: false) }
      }
      try own.upload(bytes, to: region.whole!)
      before.append(bytes)
    }
    try own.run([kernel])
    var found = ownDamage()
    for (index, region) in regions.enumerated() {
      var bytes = [UInt8](repeating: 0, count: before[index].count)
      try own.download(region.whole!, into: &bytes)
      if let damage = bytes.withUnsafeBytes(MemoryGuards.damage) { found.append("operand \(index): \(damage)") }
      if !region.isWritten {
        if bytes != before[index] { found.append("operand \(index) is only read, and has changed") }
      } else {
        for piece in region.pieces { try transfer(piece, of: region, &bytes, isUpload: true) }
      }
    }
    return found
  }

  /// Copies a piece of the plan's memory to its place in `bytes`, or back.
  private func transfer(
    _ piece: (memory: B.Buffer, range: Range<Int>), of region: Region, _ bytes: inout [UInt8], isUpload: Bool
  ) throws(BackendError) {
    let start = MemoryGuards.width + piece.range.lowerBound - region.range.lowerBound
    let range = start..<(start + piece.range.count)
    if isUpload {
      try plan.upload(Array(bytes[range]), to: piece.memory)
    } else {
      var part = [UInt8](repeating: 0, count: range.count)
      try plan.download(piece.memory, into: &part)
      bytes.replaceSubrange(range, with: part)
    }
  }
}

extension Backend {
  fileprivate func upload(_ bytes: [UInt8], to buffer: Buffer) throws(BackendError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(BackendError) in try copy(bytes, to: buffer) }
    }
    try result.get()
  }

  fileprivate func download(_ buffer: Buffer, into bytes: inout [UInt8]) throws(BackendError) {
    let result = bytes.withUnsafeMutableBytes { bytes in
      Result { () throws(BackendError) in try copy(buffer, to: bytes) }
    }
    try result.get()
  }
}
