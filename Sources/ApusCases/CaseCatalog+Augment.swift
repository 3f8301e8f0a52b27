package import ApusCore

extension CaseCatalog {
  package static let augment: [OperationCase] = [
    changes("augment moves", [9, 7, 3], moves, for: .selfTest),
    changes("augment moves, one pixel", [1, 1, 3], moves),
    changes("augment moves, grey", [40, 35, 1], moves),
    changes("augment moves of floats", [5, 6, 2], moves, isBytes: false),
    changes("augment colours", [9, 7, 3], colours, for: .selfTest),
    changes("augment colours, grey", [12, 9, 1], colours),
    changes("augment colours, two channels", [5, 6, 2], colours),
    changes("augment colours of floats", [6, 5, 3], colours.filter { !isStep($0) }, isBytes: false),
    changes("augment colours, wide", [33, 70, 3], colours),
    changes("augment neighbours", [9, 7, 3], neighbours, for: .selfTest),
    changes("augment neighbours, small", [2, 1, 3], neighbours),
    changes("augment neighbours of floats", [20, 45, 1], neighbours, isBytes: false),
    changes(
      "augment one after another", [20, 18, 3],
      [
        edit(.warp, [0, 50] + turned) + edit(.linear, [1.2, 0.1]) + edit(.contrast, [0.7]) + edit(.hue, [0.2]),
        edit(.shift, [2, 0, -1, 17, 1, 3]) + edit(.saturation, [1.5]) + edit(.erase, [3, 4, 9, 5, 7]),
        edit(.shift, same) + edit(.warp, [1, 0] + turned) + edit(.sharpness, [2]) + edit(.blur, [3, 0.8]),
        edit(.shift, same) + edit(.autocontrast) + edit(.solarize, [0.503]) + edit(.gamma, [0.8, 1]),
      ], for: .selfTest),
  ]

  private static let same: [Float] = [0, 0, 1, 0, 1, 0]
  private static let turned: [Float] = [0.93, 0.31, -0.47, -0.29, 0.88, 0.73, 0.0021, -0.0013]

  /// The floats of an edit.
  private static func edit(_ code: EditCode, _ numbers: [Float] = []) -> [Float] {
    [Float(code.rawValue)] + numbers + [Float](repeating: 0, count: EditCode.stride - 1 - numbers.count)
  }

  private static let moves: [[Float]] =
    (0..<5).flatMap { (border: Int) -> [[Float]] in
      let outside = [Float(border), 77]
      return [
        edit(.shift, outside + [1, 2, 1, -3]), edit(.shift, outside + [-1, 11, -1, 5]),
        edit(.warp, outside + turned), edit(.warp, outside + [0.4, 0, 1.5, 0, 2.3, -4.25, 0, 0]),
        edit(.nearest, outside + turned),
      ]
    } + [edit(.shift, same), edit(.shift, [0, 3, 1, 400, 1, 0]), edit(.warp, [0, 9, 1, 0, 0, 0, 1, 0, -0.5, 0])]

  private static let colours: [[Float]] = [
    edit(.linear, [1.4, 0]), edit(.linear, [-1, 1]), edit(.linear, [1, 0.3]), edit(.contrast, [0.4]),
    edit(.contrast, [2.5, 1]), edit(.saturation, [0.2]), edit(.saturation, [3]), edit(.hue, [0.13]), edit(.hue, [-0.4]),
    edit(.gamma, [2.2, 1]), edit(.gamma, [0.4, 0.9]), edit(.grey), edit(.posterize, [3]), edit(.solarize, [0.503]),
    edit(.autocontrast), edit(.equalize), edit(.erase, [0, 0, 2, 1, 12.5]), edit(.none),
  ].map { edit(.shift, same) + $0 }

  /// Whether a value next to a step may come to lie on either side of it.
  private static func isStep(_ edits: [Float]) -> Bool {
    [EditCode.posterize, .equalize].map { Float($0.rawValue) }.contains(edits[EditCode.stride])
  }

  private static let neighbours: [[Float]] = [
    edit(.sharpness, [0]), edit(.sharpness, [2.5]), edit(.blur, [3, 0.7]), edit(.blur, [9, 2.1]),
    edit(.warp, [2, 0] + turned), edit(.shift, [4, 0, -1, 3, 1, 2]),
  ].map { edit(.shift, same) + $0 }

  /// A picture for each row of edits.
  private static func changes(
    _ name: String, _ shape: [Int], _ edits: [[Float]], isBytes: Bool = true, for uses: OperationCase.Uses = []
  ) -> OperationCase {
    let shape = [edits.count] + shape
    let width = edits.map(\.count).max()!
    let padded = edits.flatMap { $0 + [Float](repeating: 0, count: width - $0.count) }
    let rows = NDArray(padded, shape: [edits.count, width])
    return OperationCase(
      name, [isBytes ? .uint8(shape) : .fixed(shape, 0...1)], sums: shape[1] * shape[2], for: uses
    ) { inputs in
      ApusCore.augment(inputs[0], edits: inputs[0].graph.constant(rows), readsNeighbours: true) * 0.5
    }
  }
}
