import ApusCore

extension CaseCatalog {
  package static let product: [OperationCase] =
    [
      (1, 1, 1), (5, 7, 3), (64, 100, 10), (17, 33, 65), (130, 70, 129), (1, 200, 40), (96, 1, 31), (40, 530, 100),
      (75, 525, 12),
    ].flatMap { m, k, n in
      [(false, false), (true, false), (false, true), (true, true)].map { a, b in
        OperationCase(
          "matMul \(m)x\(k)x\(n)\(a ? " Aᵀ" : "")\(b ? " Bᵀ" : "")", a ? [k, m] : [m, k], b ? [n, k] : [k, n],
          sums: max(m, k, n), for: m == 17 ? .selfTest : []
        ) { matMul($0[0], $0[1], transposeA: a, transposeB: b) }
      }
    } + [
      OperationCase("matMul batch", [3, 5, 7], [3, 7, 4], sums: 7, for: .selfTest) { matMul($0[0], $0[1]) },
      OperationCase("matMul batch Aᵀ Bᵀ", [2, 9, 5], [2, 6, 9], sums: 9) {
        matMul($0[0], $0[1], transposeA: true, transposeB: true)
      },
      OperationCase("matMul rows of a batch", [2, 3, 8], [8, 4], sums: 8) { matMul($0[0], $0[1]) },
      OperationCase("dense bias relu", [13, 50], [50, 33], [33], sums: 50, for: [.selfTest, .unfused]) {
        relu(matMul($0[0], $0[1]) + $0[2])
      },
      OperationCase("dense after flatten", [6, 3, 3, 4], [36, 10], sums: 36, for: .unfused) {
        matMul(relu($0[0]).flattened(), $0[1])
      },
    ]
}
