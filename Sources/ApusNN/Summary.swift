import ApusCore

extension Model {
  /// The table that Keras prints: each layer in the order of the calls, its output shape and its number of parameters.
  ///
  /// ```
  /// Model: "sequential"
  /// ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
  /// ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
  /// ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
  /// │ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │
  /// ```
  /// - Parameters:
  ///   - inputShapes: one sample of each input, without the batch axis.
  ///   - name: the model's; its type in snake case when not given.
  /// - Throws: `GraphError` naming the layer whose sizes do not fit.
  public func summary(inputShapes: [[Int]], name: String? = nil) throws -> String {
    try build(inputShapes: inputShapes)
    let walk = ModelWalk(self)
    let recorder = CallRecorder()
    try Graph().trace { graph in
      graph.recorder = recorder
      _ = self(graph.sample(of: inputShapes))
    }

    var remaining = walk.parameters
    var listed: Set<String> = []
    var rows: [[String]] = []
    for call in recorder.calls where listed.insert(call.name).inserted {
      let own = remaining.filter { parameter in
        call.path.map { $0.isEmpty || parameter.name.hasPrefix($0 + ".") } ?? false
      }
      remaining.removeAll { parameter in own.contains { $0 === parameter } }
      let shape = (["None"] + call.outputShape.dropFirst().map(String.init)).joined(separator: ", ")
      rows.append(["\(call.name) (\(call.type))", "(\(shape))", count(own).grouped])
    }
    // Parameters that a custom layer uses outside of any built-in layer.
    for parameter in remaining { rows.append([parameter.name, "", count([parameter]).grouped]) }

    let trainable = walk.parameters.filter(\.isTrainable)
    let frozen = walk.parameters.filter { !$0.isTrainable }
    let totals = [("Total", walk.parameters), ("Trainable", trainable), ("Non-trainable", frozen)].map {
      " \($0) params: \(count($1).grouped) (\($1.reduce(0) { $0 + $1.type.byteCount }.formattedBytes))"
    }
    let title = "Model: \"\(name ?? snakeCase("\(type(of: self))"))\""
    return ([title] + table(["Layer (type)", "Output Shape", "Param #"], rows) + totals).joined(separator: "\n")
  }
}

extension Layer {
  /// The table of a model with one input; see `summary(inputShapes:name:)`.
  ///
  /// - Parameter inputShape: one sample, without the batch axis.
  public func summary(inputShape: [Int], name: String? = nil) throws -> String {
    try summary(inputShapes: [inputShape], name: name)
  }
}

private func count(_ parameters: [Parameter]) -> Int { parameters.reduce(0) { $0 + $1.shape.elementCount } }

/// A table with box-drawing lines; the last column is aligned to the right.
private func table(_ header: [String], _ rows: [[String]]) -> [String] {
  let minimum = [31, 22, 13]
  let widths = header.indices.map { column in
    max(minimum[column], header[column].count, rows.map { $0[column].count }.max() ?? 0)
  }
  func line(_ cells: [String], _ bar: String) -> String {
    let padded = cells.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - cells[column].count)
      return column == cells.count - 1 ? space + cells[column] : cells[column] + space
    }
    return "\(bar) \(padded.joined(separator: " \(bar) ")) \(bar)"
  }
  func rule(_ left: String, _ stroke: String, _ cross: String, _ right: String) -> String {
    left + widths.map { String(repeating: stroke, count: $0 + 2) }.joined(separator: cross) + right
  }
  let body = rows.map { [line($0, "│")] }.joined(separator: [rule("├", "─", "┼", "┤")])
  return [rule("┏", "━", "┳", "┓"), line(header, "┃"), rule("┡", "━", "╇", "┩")] + body + [rule("└", "─", "┴", "┘")]
}

extension Int {
  /// `93322` is `93,322`.
  fileprivate var grouped: String {
    let digits = Array(String(self))
    let pieces = digits.indices.map { i in
      i > 0 && (digits.count - i).isMultiple(of: 3) ? ",\(digits[i])" : String(digits[i])
    }
    return pieces.joined()
  }
}
