import ApusCore
internal import CVector

extension ChannelSums: CPUOperation {
  /// Sums of expressions over all axes but the last: tiles of values are computed and added up while they are cached.
  ///
  /// The rows are cut into chunks whose size depends on the shape alone, so that any number of threads gives the same
  /// sums.
  func body(_ invocation: Invocation<CPUBuffer>, on backend: CPUBackend) throws(BackendError) -> CPUKernel.Body {
    let (full, channels) = (invocation.inputs[0].type, invocation.output.shape[1])
    let program = try TileProgram(
      expressions, operands: invocation.inputs.map { TileOperand($0, finishing: full) }, targets: nil,
      rowLength: channels, scratch: backend.tileScratch, memoryLimit: backend.device.memoryBytes)
    let rows = full.count / max(channels, 1)
    var chunkRows = max(8, 32768 / max(channels, 1))
    if let sample { chunkRows = (chunkRows + sample.block - 1) / sample.block * sample.block }
    let (sampled, block) = sample.map { ($0.rows * channels, $0.block * channels) } ?? (Int.max, Int.max)
    let chunks = max(1, (rows + chunkRows - 1) / chunkRows)
    let length = expressions.count * channels
    let output = invocation.output.floats
    let partial = chunks == 1 ? nil : try backend.allocate(chunks * length * MemoryLayout<Float>.stride)
    let partials = partial?.base.assumingMemoryBound(to: Float.self) ?? output
    let pass = parallelLoop(over: chunks) { range, part in
      for chunk in range {
        let target = partials + chunk * length
        target.update(repeating: 0, count: length)
        let elements = (chunk * chunkRows * channels)..<(min((chunk + 1) * chunkRows, rows) * channels)
        program.run(elements, first: sampled, ofEvery: block, part: part) { first, count, values in
          for k in 0..<expressions.count {
            addRows(values(k), first, count, channels, target + k * channels)
          }
        }
      }
    }
    guard let partial else { return pass }
    return {
      pass()
      withExtendedLifetime(partial) {
        apus_reduce_columns(APUS_REDUCE_SUM, partials, Int64(chunks), Int64(length), output)
      }
    }
  }
}

/// Adds elements `first ..< first + count` of a matrix to the sums of their columns.
private func addRows(
  _ x: UnsafeMutablePointer<Float>, _ first: Int, _ count: Int, _ columns: Int, _ sums: UnsafeMutablePointer<Float>
) {
  var done = 0
  let start = first % columns
  if start > 0 {
    done = min(columns - start, count)
    apus_accumulate(x, sums + start, Int64(done))
  }
  let rows = (count - done) / columns
  apus_add_rows(x + done, Int64(rows), Int64(columns), sums)
  done += rows * columns
  apus_accumulate(x + done, sums, Int64(count - done))
}
