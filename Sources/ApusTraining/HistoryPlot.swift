import ApusCore

/// The curves of a history as a picture: loss and accuracy of training and validation over the epochs, as SVG.
public struct HistoryPlot {
  let history: History

  /// The SVG text.
  public var svg: String {
    var panels = [panel("Loss", "loss")]
    if history.epochs.contains(where: { $0.accuracy != nil }) { panels.append(panel("Accuracy", "accuracy")) }
    let width = Panel.width * Double(panels.count)
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width.short)" height="\(Panel.height.short)" \
      viewBox="0 0 \(width.short) \(Panel.height.short)" font-family="sans-serif" font-size="13">
      <title>\(escaped(history.model)) on \(escaped(history.device))</title>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    for (index, panel) in panels.enumerated() {
      text += "<g transform=\"translate(\((Panel.width * Double(index)).short) 0)\">\n\(panel.svg)</g>\n"
    }
    return text + "</svg>\n"
  }

  public func write(to path: String) throws { try AtomicFile.write(Array(svg.utf8), to: path) }

  private func panel(_ title: String, _ name: String) -> Panel {
    func curve(_ label: String, _ key: String, _ color: String) -> Curve? {
      let points = history.epochs.compactMap { epoch in
        epoch.values[key].flatMap { $0.isFinite ? (x: Double(epoch.epoch), y: Ticks.clamped($0)) : nil }
      }
      return points.isEmpty ? nil : Curve(label: label, color: color, points: points)
    }
    return Panel(
      title: title,
      curves: [curve("training", name, "#1f6fb4"), curve("validation", "val_\(name)", "#d1611c")].compactMap { $0 })
  }
}

extension History {
  /// The history as a picture.
  public var plot: HistoryPlot { HistoryPlot(history: self) }
}

private struct Curve {
  var label: String
  var color: String
  var points: [(x: Double, y: Double)]
}

/// One pair of axes with its curves.
private struct Panel {
  static let width = 480.0
  static let height = 360.0
  private static let left = 62.0
  private static let right = 460.0
  private static let top = 44.0
  private static let bottom = 308.0

  var title: String
  var curves: [Curve]

  var svg: String {
    let points = curves.flatMap(\.points)
    let xs = (points.map(\.x).min() ?? 0, points.map(\.x).max() ?? 1)
    let xTicks = Ticks(from: xs.0, to: xs.1, count: 8, minimumStep: 1)
    let yTicks = Ticks(from: points.map(\.y).min() ?? 0, to: points.map(\.y).max() ?? 1, count: 6)
    // Epochs fill the width; values leave room up to the next tick.
    let x = Scale(from: xs.0, to: xs.1, start: Self.left + 14, end: Self.right - 14)
    let y = Scale(from: yTicks.values.first!, to: yTicks.values.last!, start: Self.bottom, end: Self.top)
    var text = label(title, (Self.left + Self.right) / 2, 24, anchor: "middle", size: 16, color: "#222222")
    for value in yTicks.values {
      text += line(Self.left, y(value), Self.right, y(value), "#e4e4e4")
      text += label(yTicks.label(value), Self.left - 8, y(value) + 4, anchor: "end")
    }
    for value in xTicks.values where value >= xs.0 && value <= xs.1 {
      text += line(x(value), Self.bottom, x(value), Self.bottom + 5, "#666666")
      text += label(xTicks.label(value), x(value), Self.bottom + 20, anchor: "middle")
    }
    text += line(Self.left, Self.bottom, Self.right, Self.bottom, "#666666")
    text += line(Self.left, Self.top, Self.left, Self.bottom, "#666666")
    text += label("epoch", (Self.left + Self.right) / 2, Self.height - 12, anchor: "middle")
    for curve in curves {
      let path = curve.points.map { "\(x($0.x).short),\(y($0.y).short)" }.joined(separator: " ")
      text += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(curve.color)\" stroke-width=\"2\"/>\n"
      guard curve.points.count <= 30 else { continue }
      for point in curve.points {
        text += "<circle cx=\"\(x(point.x).short)\" cy=\"\(y(point.y).short)\" r=\"3\" fill=\"\(curve.color)\"/>\n"
      }
    }
    return text + legend(y)
  }

  /// In the corner that curves leave free: a loss falls, an accuracy rises.
  private func legend(_ y: Scale) -> String {
    let height = 20.0 * Double(curves.count) + 8
    let ends = curves.compactMap { $0.points.last.map { y($0.y) } }
    let middle = (Self.top + Self.bottom) / 2
    let isFreeAbove = ends.allSatisfy { $0 > middle }
    let start = isFreeAbove ? Self.top + 8 : Self.bottom - height - 8
    var text = """
      <rect x="\((Self.right - 120).short)" y="\(start.short)" width="112" height="\(height.short)" \
      fill="#ffffff" stroke="#cccccc"/>

      """
    for (index, curve) in curves.enumerated() {
      let row = start + 18 + 20 * Double(index)
      text += line(Self.right - 112, row - 4, Self.right - 88, row - 4, curve.color, width: 2)
      text += label(curve.label, Self.right - 80, row, anchor: "start")
    }
    return text
  }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, width: Double = 1
  ) -> String {
    "<line x1=\"\(x1.short)\" y1=\"\(y1.short)\" x2=\"\(x2.short)\" y2=\"\(y2.short)\" stroke=\"\(color)\" "
      + "stroke-width=\"\(width.short)\"/>\n"
  }

  private func label(
    _ text: String, _ x: Double, _ y: Double, anchor: String, size: Int = 13, color: String = "#555555"
  ) -> String {
    "<text x=\"\(x.short)\" y=\"\(y.short)\" text-anchor=\"\(anchor)\" font-size=\"\(size)\" fill=\"\(color)\">"
      + "\(escaped(text))</text>\n"
  }
}

/// A linear map of values to places.
private struct Scale {
  var from: Double, to: Double, start: Double, end: Double

  func callAsFunction(_ value: Double) -> Double {
    to == from ? (start + end) / 2 : start + (value - from) / (to - from) * (end - start)
  }
}

extension Double {
  /// At most two decimals: enough for a place in a picture.
  fileprivate var short: String {
    let rounded = (self * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}

private func escaped(_ text: String) -> String {
  var result = ""
  for character in text {
    switch character {
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "&": result += "&amp;"
    default: result.append(character)
    }
  }
  return result
}
