/// The layers that a trace called, in order: the rows of a summary.
package final class CallRecorder {
  package private(set) var calls: [LayerCall] = []

  package init() {}

  package func record(_ call: LayerCall) { calls.append(call) }
}

/// A call of a layer that calls no others.
package struct LayerCall {
  package let name: String
  /// Before the names of its parameters; `nil` where it is not known.
  package let path: String?
  /// The Swift type, as summaries show it.
  package let type: String
  package let outputShape: [Int]

  package init(name: String, path: String?, type: String, outputShape: [Int]) {
    (self.name, self.path, self.type, self.outputShape) = (name, path, type, outputShape)
  }
}
