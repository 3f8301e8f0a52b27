import ApusCPU
import ApusCases
import ApusCore
import ApusDevices
import ApusNN
import ApusOptimize
import ApusTraining
import Foundation
import Testing

#if OpenCL
  import ApusOpenCL
#endif

/// A backend whose kernels run between guard bytes.
struct GuardedSession {
  let session: any Session
  /// What kernels wrote where they may not, so far.
  let damage: () -> [String]

  private init<B: Backend>(_ backend: GuardedBackend<B>) {
    session = BackendSession(backend)
    damage = { backend.damage }
  }

  /// A session of its own: one that has failed leaves no mark on the next.
  init(_ backend: TestBackend) throws {
    switch backend {
    case .cpu:
      // The library's scratch memory is guarded, and as large as the one kernel needs.
      self.init(
        GuardedBackend(CPUBackend()) { () throws(BackendError) in
          let guards = MemoryGuards()
          return (CPUBackend(guards: guards), { guards.damage() })
        })
    #if OpenCL
      case .openCLCPUClass, .openCLGPUClass:
        let backend = (try backend.session() as! BackendSession<OpenCLBackend>).backend
        self.init(GuardedBackend(backend) { () throws(BackendError) in (backend, { [] }) })
    #endif
    }
  }
}

/// A convolution of any size with its two gradients, all told by a number.
struct SweptConvolution: CustomStringConvertible {
  let number: Int
  private(set) var image: [Int] = [], kernel: [Int] = []
  private(set) var stride = (1, 1), dilation = (1, 1)
  private(set) var padding = Padding.valid
  private(set) var groups = 1
  private(set) var epilogue = 0

  /// Multiply-adds of a pass, so that the reference takes milliseconds.
  private static let mostWork = 600_000

  init(_ number: Int) {
    self.number = number
    var generator = PhiloxGenerator(seed: UInt64(number), stream: 6035)
    repeat { draw(&generator) } while !(1...Self.mostWork).contains(work)
  }

  private mutating func draw(_ generator: inout PhiloxGenerator) {
    func one(_ values: [Int]) -> Int { values.randomElement(using: &generator)! }
    func size(_ most: Int) -> Int {
      // As many small ones as large ones.
      Int.random(in: 1...one([4, 16, most]), using: &generator)
    }
    groups = one([1, 1, 1, 1, 1, 2, 3, 8])
    let isDepthwise = one([0, 0, 0, 0, 0, 0, 0, 1]) == 1
    if isDepthwise { groups = size(40) }
    let (inputs, outputs) = isDepthwise ? (1, one([1, 1, 2])) : (size(40 / groups), size(40 / groups))
    let (r, s) = one([0, 1]) == 0 ? { ($0, $0) }(one([1, 1, 1, 3, 3, 5])) : (size(7), size(7))
    // One in 25 has sides of up to 130, beyond what a block of a kernel holds.
    let side = number % 25 == 24 ? 130 : 64
    image = [one([1, 1, 2, 3, 5, 9]), size(side), size(side), inputs * groups]
    kernel = [r, s, inputs, outputs * groups]
    stride = one([0, 1]) == 0 ? { ($0, $0) }(one([1, 2, 2, 3])) : (one([1, 1, 2, 3, 4]), one([1, 1, 2, 3, 4]))
    dilation = one([0, 0, 0, 1]) == 0 ? (1, 1) : (one([1, 2, 3]), one([1, 2, 3]))
    func amount(_ window: Int) -> Int { Int.random(in: 0...max(window - 1, one([0, 0, 2])), using: &generator) }
    padding =
      switch one([0, 0, 1, 2]) {
      case 0: .valid
      case 1: .same
      default: .explicit(top: amount(r), bottom: amount(r), left: amount(s), right: amount(s))
      }
    epilogue = one([0, 1, 2])
  }

  /// Of the forward pass; 0 for a window that does not fit.
  private var work: Int {
    let graph = Graph()
    let y = conv2D(
      graph.input("x", shape: image), graph.input("f", shape: kernel), stride: stride, padding: padding,
      dilation: dilation, groups: groups)
    return graph.failure == nil ? y.shape.elementCount * kernel[0] * kernel[1] * kernel[2] : 0
  }

  /// The three passes: the forward pass plain, with bias and ReLU, or with a residual sum, too; the gradients of the
  /// plain one, which has no kink at which rounding decides.
  func run(on session: any Session, options: CompileOptions = .init()) throws -> [NDArray] {
    let graph = Graph()
    let x = graph.input("x", shape: image), f = graph.input("f", shape: kernel)
    let y = conv2D(x, f, stride: stride, padding: padding, dilation: dilation, groups: groups)
    let bias = graph.input("bias", shape: [kernel[3]]), residual = graph.input("residual", shape: y.shape)
    let result =
      switch epilogue {
      case 0: y
      case 1: relu(y + bias)
      default: relu(y + bias + 2 * residual)
      }
    let gradients = graph.gradients(of: reduceSum(y * graph.input("dy", shape: y.shape)), with: [x, f])
    let executable = try session.compile(graph, outputs: [result] + gradients, options: options)
    var generator = PhiloxGenerator(seed: UInt64(number), stream: 1)
    let values = executable.inputs.map { _, type in
      NDArray((0..<type.count).map { _ in generator.uniform() * 2 - 1 }, shape: type.shape)
    }
    return try executable(values, outputs: 3)
  }

  /// Terms that one element of each result sums up, at most.
  var terms: [Int] {
    let window = kernel[0] * kernel[1]
    return [window * kernel[2], window * kernel[3] / groups, image[0] * image[1] * image[2]]
  }

  var description: String {
    "\(number): \(image) * \(kernel), stride \(stride), dilation \(dilation), \(padding), groups \(groups), "
      + "epilogue \(epilogue)"
  }
}

extension BackendTests {
  /// No kernel, ours or a library's, writes outside of its operands or reads what nothing wrote.
  @Suite(.serialized) struct GuardTests {
    @Test(arguments: TestBackend.allCases, CaseCatalog.all)
    func everyOperationStaysInItsMemory(_ backend: TestBackend, _ test: OperationCase) throws {
      let guarded = try GuardedSession(backend)
      let expected = try test.run(on: TestBackend.reference(), options: .plain)
      #expect(try test.compare(test.run(on: guarded.session), with: expected).flaws == [])
      #expect(guarded.damage().isEmpty)
    }

    /// Few channels read by 1x1 filters that step over cells: there oneDNN's own filter gradient writes past its end.
    @Test func aTrainingOfStridedFiltersIsRight() throws {
      func losses(_ session: any Session) throws -> [Double] {
        let model = Sequential {
          Conv2D(8, kernel: 3, activation: .relu)
          Conv2D(16, kernel: 1, stride: 2, activation: .relu)
          GlobalAveragePool2D()
          Dense(2)
        }
        let step = try TrainStep(model, optimizer: SGD(learningRate: 0.1), session: session, seed: 1) { graph in
          softmaxCrossEntropy(
            model(graph.input("x", shape: [2, 64, 64, 1])), labels: graph.input("y", shape: [2], dtype: .int32))
        }
        let x = NDArray((0..<8192).map { Float($0 % 29) / 29 }, shape: [2, 64, 64, 1])
        return try (0..<4).map { _ in
          try step(x, NDArray([0, 1] as [Int32], shape: [2]))
          return try step.loss()
        }
      }
      let expected = try losses(TestBackend.reference())
      let guarded = try GuardedSession(.cpu)
      for (loss, truth) in zip(try losses(guarded.session), expected) { #expect(abs(loss - truth) < 1e-5) }
      #expect(guarded.damage().isEmpty)
    }

    /// Convolutions of all sizes: `APUS_TEST_SWEEP` of them in a long run.
    @Test func everyConvolutionOnTheCPUStaysInItsMemory() throws {
      let wanted = ProcessInfo.processInfo.environment["APUS_TEST_SWEEP"].flatMap { Int($0) }
      for number in 0..<(wanted ?? 150) { try expectCleanRun(SweptConvolution(number), .cpu) }
    }

    #if OpenCL
      /// A few of them: programs are compiled for many.
      @Test(arguments: TestBackend.allCases.filter { $0 != .cpu })
      func convolutionsOnOpenCLStayInTheirMemory(_ backend: TestBackend) throws {
        for number in 0..<12 { try expectCleanRun(SweptConvolution(number), backend) }
      }
    #endif

    private func expectCleanRun(_ convolution: SweptConvolution, _ backend: TestBackend) throws {
      let guarded = try GuardedSession(backend)
      let expected = try convolution.run(on: TestBackend.reference(), options: .plain)
      let results = try convolution.run(on: guarded.session)
      for (index, what) in ["result", "input gradient", "filter gradient"].enumerated() {
        let error = results[index].relativeError(from: expected[index])
        #expect(
          error <= Numerics.tolerance(ofSums: convolution.terms[index]),
          "\(convolution): \(what): relative error \(error)")
      }
      #expect(guarded.damage().isEmpty, "\(convolution)")
    }
  }
}
