import ApusCPU
import ApusCore
import Testing

/// What the cases of single operations do not reach: updates of several targets, long programs, memory limits.
struct CPUBackendTests {
  @Test func anUpdateReadsAllTargetsBeforeItWritesOne() throws {
    let first = Parameter("first", value: NDArray([Float](repeating: 1, count: 5000), shape: [5000]))
    let second = Parameter("second", value: NDArray([Float](repeating: 2, count: 5000), shape: [5000]))
    let graph = Graph()
    graph.update([first, second], reading: [], [.input(1), .input(0) + 0.5 * .input(1)])
    let session = BackendSession(CPUBackend())
    let plan = try session.compile(graph)
    try plan.run()
    #expect(try first.value().values(as: Float.self).allSatisfy { $0 == 2 })
    #expect(try second.value().values(as: Float.self).allSatisfy { $0 == 2 })
    try plan.run()
    #expect(try first.value().values(as: Float.self).allSatisfy { $0 == 2 })
    #expect(try second.value().values(as: Float.self).allSatisfy { $0 == 3 })
  }

  /// A residual sum that takes the memory of the array it adds, by Winograd's method and by oneDNN's.
  @Test(arguments: [36, 5], ["ends", "is the image", "is used later"])
  func aResidualSumInPlaceEqualsTheReference(_ channels: Int, _ addend: String) throws {
    var generator = PhiloxGenerator(seed: 3)
    func random(_ shape: [Int]) -> NDArray {
      NDArray((0..<shape.elementCount).map { _ in generator.uniform() * 2 - 1 }, shape: shape)
    }
    let values = [random([3, 16, 15, channels]), random([3, 3, channels, channels]), random([channels])]
    func run(_ mode: CPUBackend.Mode) throws -> [Double] {
      let graph = Graph()
      let inputs = values.enumerated().map { graph.input("x\($0)", shape: $1.shape) }
      let h = relu(inputs[0] * 2)
      let image = addend == "is the image" ? h : inputs[0]
      var y = relu(h + (conv2D(image, inputs[1], padding: .same) + inputs[2]))
      if addend == "is used later" { y = y + exp(h) }
      let plan = try BackendSession(CPUBackend(mode: mode)).compile(graph, outputs: [y])
      return try plan(values)[0].doubles
    }
    for (a, b) in zip(try run(.fast), try run(.reference)) { #expect(abs(a - b) < 1e-4) }
  }

  /// A program with more values than scratch tiles, scalars that are computed once, and an operand that repeats.
  @Test func aLongProgramEqualsTheReference() throws {
    let (x, y, scale, row) = (Expr.input(0), Expr.input(1), Expr.input(2), Expr.input(3))
    let decay = 1 - Expr.pow(0.9, scale)
    let program = Expr.ifGreater(
      0.3 * x + row, 0.7 * y, then: .exp(0.1 * x * scale) - 0.9 * y,
      otherwise: decay * (0.02 * y * y + 1.5) / (.sqrt(0.4 * .abs(x) + 0.001) + 1e-7))
    var generator = PhiloxGenerator(seed: 7)
    func random(_ shape: [Int]) -> NDArray {
      NDArray((0..<shape.elementCount).map { _ in generator.uniform() * 4 - 2 }, shape: shape)
    }
    let values = [random([211, 20]), random([211, 20]), NDArray([Float(3)], shape: [1]), random([20])]
    func run(_ mode: CPUBackend.Mode) throws -> [Double] {
      let graph = Graph()
      let inputs = values.enumerated().map { graph.input("x\($0)", shape: $1.shape) }
      let result = pointwise(program, inputs)
      let plan = try BackendSession(CPUBackend(mode: mode)).compile(graph, outputs: [result])
      return try plan(values)[0].doubles
    }
    for (fast, exact) in zip(try run(.fast), try run(.reference)) {
      #expect(abs(fast - exact) <= 1e-5 * max(1, abs(exact)))
    }
  }

  /// Sizes at which Winograd's method serves all three passes: odd maps, channels that fill no register, paddings, input
  /// gradients by turned filters and (with fewer tiles) by the transposed pass; the bounds are those of single
  /// operations, of the largest value.
  @Test(arguments: [
    (image: [8, 17, 19, 40], filters: 50, padding: Padding.valid),
    (image: [16, 13, 12, 32], filters: 64, padding: .same),
    (image: [37, 5, 5, 64], filters: 72, padding: .valid),
    (image: [19, 12, 9, 44], filters: 50, padding: .explicit(top: 1, bottom: 0, left: 0, right: 0)),
    (image: [3, 31, 30, 72], filters: 96, padding: .explicit(top: 2, bottom: 0, left: 0, right: 3)),
  ])
  func largeConvolutionsEqualTheReference(image: [Int], filters: Int, padding: Padding) throws {
    var generator = PhiloxGenerator(seed: 11)
    func random(_ shape: [Int]) -> NDArray {
      NDArray((0..<shape.elementCount).map { _ in generator.uniform() * 2 - 1 }, shape: shape)
    }
    let values = [random(image), random([3, 3, image[3], filters]), random([filters])]
    func run(_ mode: CPUBackend.Mode) throws -> [NDArray] {
      let graph = Graph()
      let inputs = values.enumerated().map { graph.input("x\($0)", shape: $1.shape) }
      let plain = relu(conv2D(inputs[0], inputs[1], padding: padding) + inputs[2])
      // A residual sum in the epilogue.
      let result = relu(conv2D(inputs[0], 0.5 * inputs[1], padding: padding) + inputs[2] + plain)
      let gradients = graph.gradients(of: reduceSum(result * result), with: inputs)
      let outputs = [result] + gradients
      let plan = try BackendSession(CPUBackend(mode: mode)).compile(graph, outputs: outputs)
      return try plan(values, outputs: outputs.count)
    }
    let terms = [9 * image[3], 9 * filters, image[0] * image[1] * image[2], image[0] * image[1] * image[2]]
    for (index, (fast, exact)) in try zip(run(.fast), run(.reference)).enumerated() {
      let (fast, exact) = (fast.doubles, exact.doubles)
      let scale = exact.reduce(0) { max($0, abs($1)) }
      let error = zip(fast, exact).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
      #expect(error <= Numerics.tolerance(ofSums: terms[index]), "\(index): \(error)")
    }
  }

  @Test func whatCannotFitIsRefusedWithItsSize() throws {
    let backend = CPUBackend()
    let wanted = backend.device.memoryBytes + 1
    let error = #expect(throws: BackendError.self) { _ = try backend.allocate(wanted) }
    #expect(error?.code == .outOfMemory)
    #expect(error?.requestedBytes == wanted)
    #expect(error?.limitBytes == backend.device.memoryBytes)
  }
}
