import ApusCore
import ApusNN
import Testing

/// A block whose sum needs names of its own.
private struct Residual: Layer {
  let first = Conv2D(4, kernel: 3, padding: .same, activation: .relu)
  let second = Conv2D(4, kernel: 3, padding: .same)
  func forward(_ x: Tensor) -> Tensor { relu(x + second(first(x))) }
}

private struct Net: Layer {
  let stem = Sequential {
    Conv2D(4, kernel: 3)
    MaxPool2D(2)
  }
  let blocks = [Residual(), Residual()]
  let shortcut: Dense? = nil
  let head = Dense(3)
  let scale = Parameter("scale", value: NDArray(Float(2)))

  func forward(_ x: Tensor) -> Tensor {
    let x = blocks.reduce(stem(x)) { $1($0) }
    return head(globalAveragePool2D(x)) * x.graph.parameter(scale)
  }
}

@Suite struct NamingTests {
  @Test func sequentialNamesLayersAsKeras() {
    let model = Sequential {
      Conv2D(2, kernel: 3)
      Activation.relu
      Conv2D(2, kernel: 3)
      MaxPool2D(2)
      for _ in 0..<2 { Dropout(0.5) }
      if true { Flatten() }
      Dense(3)
      Residual()
    }
    #expect(
      model.parameters.map(\.name) == [
        "conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias", "dense.kernel", "dense.bias",
        "residual.first.kernel", "residual.first.bias", "residual.second.kernel", "residual.second.bias",
      ])
    #expect(model.layers.count == 9)
  }

  @Test func propertiesGiveTheNamesOfAStruct() {
    #expect(
      Net().parameters.map(\.name) == [
        "stem.conv2d.kernel", "stem.conv2d.bias", "blocks.0.first.kernel", "blocks.0.first.bias",
        "blocks.0.second.kernel", "blocks.0.second.bias", "blocks.1.first.kernel", "blocks.1.first.bias",
        "blocks.1.second.kernel", "blocks.1.second.bias", "head.kernel", "head.bias", "scale",
      ])
  }

  @Test func optionalLayersAreFound() {
    struct Block: Layer {
      let present: Dense? = Dense(4, useBias: false), absent: Dense? = nil
      func forward(_ x: Tensor) -> Tensor { present?(x) ?? x }
    }
    #expect(Block().parameters.map(\.name) == ["present.kernel"])
  }

  @Test func aLayerUsedTwiceSharesItsParameters() throws {
    let shared = Dense(4, activation: .tanh)
    let model = Sequential {
      shared
      shared
    }
    #expect(model.parameters.count == 2)
    try model.build(inputShape: [4])
    #expect(throws: GraphError.self) { try model.build(inputShape: [5]) }
  }

  @Test func everyLayersParametersAreFound() {
    func count(_ layer: some Layer) -> Int { layer.parameters.count }
    #expect(count(Conv2D(1, kernel: 1)) == 2)
    #expect(count(Conv2D(1, kernel: 1, useBias: false)) == 1)
    #expect(count(DepthwiseConv2D(kernel: 1)) == 2)
    #expect(count(Dense(1)) == 2)
    #expect(count(MaxPool2D()) == 0 && count(AveragePool2D()) == 0 && count(GlobalAveragePool2D()) == 0)
    #expect(count(Flatten()) == 0 && count(Reshape([1])) == 0 && count(Dropout(0.1)) == 0 && count(Softmax()) == 0)
  }
}

@Suite struct BuildTests {
  @Test func shapeErrorsNameTheLayer() throws {
    let model = Sequential {
      Conv2D(4, kernel: 3)
      MaxPool2D(2)
      Conv2D(4, kernel: 5)
    }
    let error = #expect(throws: GraphError.self) { try model.build(inputShape: [8, 8, 1]) }
    #expect(error?.description.hasPrefix("conv2d_1: conv2D: input 1x3x3x4, kernel 5x5x4x4") == true, "\(error!)")
    let nested = #expect(throws: GraphError.self) { try Net().build(inputShape: [2, 2, 1]) }
    #expect(nested?.label == "stem.conv2d")
    let custom = #expect(throws: GraphError.self) {
      try (Sequential { Residual() }).build(inputShape: [4, 4, 3])
    }
    #expect(custom?.label == "residual", "\(custom!)")
  }

  @Test func badSizesAreErrors() {
    for model: any Layer in [
      Conv2D(0, kernel: 3), Conv2D(4, kernel: 0), Conv2D(4, kernel: 3, stride: 0), Conv2D(4, kernel: 3, dilation: 0),
      Conv2D(4, kernel: 3, groups: 3), Conv2D(4, kernel: 3, groups: 0), Conv2D(4, kernel: 9), Conv2D(.max, kernel: 3),
      Conv2D(-1, kernel: 3), DepthwiseConv2D(kernel: 3, depthMultiplier: 0), DepthwiseConv2D(kernel: (.max, 2)),
      Conv2D(4, kernel: 3, padding: .explicit(top: -1, bottom: 0, left: 0, right: 0)), Dense(0), Dense(.max),
      MaxPool2D(0), MaxPool2D(9), AveragePool2D(2, stride: 0), Dropout(1), Dropout(-0.1), Reshape([7]),
    ] {
      // Dropout does nothing in inference.
      if model is Dropout { continue }
      #expect(throws: GraphError.self, "\(model)") { try model.build(inputShape: [8, 8, 2]) }
    }
    #expect(throws: GraphError.self) { try Dense(1).build(inputShape: [0]) }
    #expect(throws: GraphError.self) { try Conv2D(1, kernel: 1).build(inputShape: [4]) }
  }

  @Test func rateOfDropoutIsChecked() {
    for rate in [1, -0.1, Double.nan] {
      #expect(throws: GraphError.self) {
        try Graph(mode: .training).trace { Dropout(rate)($0.input("x", shape: [2, 2])) }
      }
    }
  }

  @Test func initialValuesDependOnNameAndSeedAlone() throws {
    func kernel(seed: UInt64, width: Int) throws -> NDArray {
      let model = Sequential {
        Dense(width)
        Activation.relu
        Dense(3)
      }
      try model.build(inputShape: [4], seed: seed)
      return try model.parameters[0].value()
    }
    #expect(try kernel(seed: 1, width: 5) == kernel(seed: 1, width: 5))
    #expect(try kernel(seed: 1, width: 5) != kernel(seed: 2, width: 5))
    let model = Sequential {
      Dense(4)
      Dense(4)
    }
    try model.build(inputShape: [4])
    let values = try model.parameters.map { try $0.value() }
    #expect(values[0] != values[2])
    #expect(values[1].doubles.allSatisfy { $0 == 0 })
  }

  @Test func layersThatAreNeverCalledAreNamed() {
    struct Idle: Layer {
      let used = Dense(2), idle = Dense(2)
      func forward(_ x: Tensor) -> Tensor { used(x) }
    }
    let error = #expect(throws: GraphError.self) { try Idle().build(inputShape: [3]) }
    #expect(error?.label == "idle.kernel")
  }

  @Test func layersOutsideTheModelAreNamed() {
    let outside = Dense(2)
    struct Hidden: Layer {
      let closure: (Tensor) -> Tensor
      func forward(_ x: Tensor) -> Tensor { closure(x) }
    }
    #expect(throws: GraphError.self) { try (Hidden { outside($0) }).build(inputShape: [3]) }
  }
}

@Suite struct InitializerTests {
  @Test(arguments: Fixture.all(in: "initializers"))
  func glorotUniformHasKerasLimit(_ fixture: Fixture) throws {
    let shape = fixture.integers("shape")
    let kernel: Parameter
    switch fixture.string("layer") {
    case "dense":
      let layer = Dense(shape[1])
      try layer.build(inputShape: [shape[0]])
      kernel = layer.kernel
    case "conv2d":
      let groups = fixture.name.contains("groups2") ? 2 : 1
      let layer = Conv2D(shape[3], kernel: (shape[0], shape[1]), groups: groups)
      try layer.build(inputShape: [shape[0], shape[1], shape[2] * groups])
      kernel = layer.kernel
    default:
      let multiplier = fixture.name.contains("multiplier2") ? 2 : 1
      let layer = DepthwiseConv2D(kernel: (shape[0], shape[1]), depthMultiplier: multiplier)
      try layer.build(inputShape: [shape[0], shape[1], shape[3] / multiplier])
      kernel = layer.kernel
    }
    #expect(kernel.shape == shape)
    let values = try kernel.value().doubles
    let limit = fixture["limit"].item
    let largest = values.map(abs).max()!
    #expect(largest <= limit * 1.0001 && largest > 0.9 * limit)
    #expect(abs(values.reduce(0, +)) / Double(values.count) < limit / 4)
  }

  @Test func normalHasItsVariance() {
    let values = Initializer.heNormal(shape: [100, 100], fanIn: 50, fanOut: 1, seed: 3, name: "w").doubles
    let variance = values.map { $0 * $0 }.reduce(0, +) / Double(values.count)
    #expect(abs(variance - 2.0 / 50) < 0.002)
    let bound = 2 * (2.0 / 50).squareRoot() / 0.8796
    #expect(values.allSatisfy { abs($0) <= bound + 1e-6 })
  }
}

@Suite struct SummaryTests {
  @Test func tutorialTable() throws {
    let model = try Models.make("tutorial-mnist-deep", inputShape: [28, 28, 1], classes: 10)
    let expected = """
      Model: "tutorial-mnist-deep"
      ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
      ┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
      ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
      │ conv2d (Conv2D)                 │ (None, 26, 26, 32)     │           320 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ max_pooling2d (MaxPool2D)       │ (None, 13, 13, 32)     │             0 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ conv2d_1 (Conv2D)               │ (None, 11, 11, 64)     │        18,496 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ max_pooling2d_1 (MaxPool2D)     │ (None, 5, 5, 64)       │             0 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ conv2d_2 (Conv2D)               │ (None, 3, 3, 64)       │        36,928 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ flatten (Flatten)               │ (None, 576)            │             0 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ dense (Dense)                   │ (None, 64)             │        36,928 │
      ├─────────────────────────────────┼────────────────────────┼───────────────┤
      │ dense_1 (Dense)                 │ (None, 10)             │           650 │
      └─────────────────────────────────┴────────────────────────┴───────────────┘
       Total params: 93,322 (364.54 KB)
       Trainable params: 93,322 (364.54 KB)
       Non-trainable params: 0 (0 B)
      """
    #expect(try model.summary(inputShape: [28, 28, 1], name: "tutorial-mnist-deep") == expected)
  }

  @Test func customModelsListTheirLayersInCallOrder() throws {
    let text = try Net().summary(inputShape: [10, 10, 1])
    let names = text.split(separator: "\n").compactMap { line in
      line.hasPrefix("│") ? line.split(separator: " ")[1] : nil
    }
    #expect(
      names == [
        "stem.conv2d", "stem.max_pooling2d", "blocks.0.first", "blocks.0.second", "blocks.1.first", "blocks.1.second",
        "head", "scale",
      ])
    #expect(text.hasPrefix("Model: \"net\""))
    #expect(text.contains("Total params: 648"))
  }

  @Test func activationsAndCustomLayersInASequenceHaveRows() throws {
    let model = Sequential {
      Conv2D(4, kernel: 3)
      Activation.relu
      Residual()
    }
    let text = try model.summary(inputShape: [5, 5, 1])
    #expect(text.contains("activation (Activation)"))
    #expect(text.contains("residual.first (Conv2D)"))
    #expect(!text.contains("residual (Residual)"))
  }

  /// A user's layer is called after the property that holds it, in tables and in errors.
  @Test func layersOfOnesOwnHaveNamesAndRows() throws {
    struct Gain: Layer {
      let factor = Parameter("factor")
      var limit = 100
      func forward(_ x: Tensor) -> Tensor {
        guard x.shape[3] < limit else { return x.graph.fail("too many channels") }
        factor.initialize { NDArray([Float](repeating: 1, count: x.shape[3]), shape: [x.shape[3]]) }
        return x * x.graph.parameter(factor)
      }
    }
    struct Twice: Layer {
      let inner: Gain
      func forward(_ x: Tensor) -> Tensor { inner(inner(x)) + x }
    }
    struct Whole: Layer {
      let gain = Gain()
      let body: Sequential
      func forward(_ x: Tensor) -> Tensor { body(gain(x)) }
    }
    func whole(limit: Int) -> Whole {
      Whole(
        body: Sequential {
          Conv2D(4, kernel: 1)
          Twice(inner: Gain(limit: limit))
          Gain()
        })
    }
    let rows = try whole(limit: 9).summary(inputShape: [5, 5, 3]).split(separator: "\n").filter { $0.hasPrefix("│") }
      .map { $0.split(whereSeparator: { " │".contains($0) }) }
    #expect(rows.map { $0[0] } == ["gain", "body.conv2d", "body.twice.inner", "body.gain"])
    #expect(rows.map { $0[1] } == ["(Gain)", "(Conv2D)", "(Gain)", "(Gain)"])
    #expect(rows.map { $0.last! } == ["3", "16", "4", "4"])
    let error = #expect(throws: GraphError.self) { try whole(limit: 4).build(inputShape: [5, 5, 3]) }
    #expect(error?.label == "body.twice.inner")
  }
}

@Suite struct ModelsTests {
  @Test(arguments: [
    ("tutorial-mnist", [28, 28, 1], 225_034), ("tutorial-mnist-64", [28, 28, 1], 121_930),
    ("tutorial-mnist-deep", [28, 28, 1], 93_322), ("tutorial-cifar", [32, 32, 3], 122_570),
    // Residual networks with 4 numbers a channel of batch normalization, of which 2 are trained: 272,474 for resnet20.
    ("lenet5", [28, 28, 1], 61_706), ("resnet20", [32, 32, 3], 274_042), ("resnet18", [224, 224, 3], 11_191_242),
    ("resnet18-cifar", [32, 32, 3], 11_183_562),
  ])
  func parameterCounts(name: String, shape: [Int], count: Int) throws {
    let model = try Models.make(name, inputShape: shape, classes: 10)
    #expect(model.parameters.reduce(0) { $0 + $1.shape.elementCount } == count)
    #expect(try model.build(inputShape: shape) == [10])
  }

  /// 25,557,032 trained numbers, as in PyTorch's reference model, and two running statistics for each of the 26,560
  /// normalized channels.
  @Test func resnet50HasItsParameterCount() throws {
    let model = try Models.make("resnet50", inputShape: [224, 224, 3], classes: 1000)
    let all = model.parameters
    let count = { (parameters: [Parameter]) in parameters.reduce(0) { $0 + $1.shape.elementCount } }
    #expect(count(all.filter(\.isTrainable)) == 25_557_032)
    #expect(count(all.filter { !$0.isTrainable }) == 2 * 26_560)
    #expect(try model.build(inputShape: [224, 224, 3]) == [1000])
  }

  /// Map sizes of the stages in pictures of 224: the stem and the pool halve, then every stage but the first.
  @Test(arguments: [("resnet18", 1), ("resnet50", 4)])
  func imageNetStemAndStages(name: String, expansion: Int) throws {
    let model = try Models.make(name, inputShape: [224, 224, 3], classes: 1000)
    #expect(model.parameters[0].shape == [7, 7, 3, 64])
    let shapes = try Graph().trace { graph in
      var x = graph.input("images", shape: [1, 224, 224, 3])
      return model.layers.map { layer in
        x = layer(x)
        return x.shape
      }
    }
    #expect(shapes[0] == [1, 112, 112, 64])
    #expect(shapes[3] == [1, 56, 56, 64])
    for (map, filters) in [(56, 64), (28, 128), (14, 256), (7, 512)] {
      #expect(shapes.contains([1, map, map, filters * expansion]))
    }
    #expect(shapes.last == [1, 1000])
  }

  @Test func everyModelFitsItsUsualPictures() throws {
    for entry in try Models.catalog.names.map(Models.catalog.part) {
      let model = try Models.make(entry.name, inputShape: entry.inputShape, classes: entry.classes)
      #expect(try model.build(inputShape: entry.inputShape) == [entry.classes], "\(entry.name)")
    }
  }

  /// The stride is in the 3x3 convolution, and the block widens its input fourfold.
  @Test func bottleneckBlock() throws {
    let block = BottleneckBlock(2, stride: 2, projects: true)
    #expect(try block.build(inputShape: [6, 6, 3]) == [3, 3, 8])
    #expect(
      block.parameters.filter { $0.name.hasSuffix("kernel") }.map(\.shape) == [
        [1, 1, 3, 2], [3, 3, 2, 2], [1, 1, 2, 8], [1, 1, 3, 8],
      ])
    #expect(try BottleneckBlock(2).build(inputShape: [6, 6, 8]) == [6, 6, 8])
    #expect(throws: GraphError.self) { try BottleneckBlock(2).build(inputShape: [6, 6, 4]) }
    #expect(throws: GraphError.self) { try BottleneckBlock(.max).build(inputShape: [6, 6, 8]) }
  }

  @Test func unknownNameListsTheOthers() {
    let error = #expect(throws: UnknownNameError.self) {
      try Models.make("resnet1000", inputShape: [28, 28, 1], classes: 10)
    }
    for name in Models.catalog.names { #expect(error?.description.contains(name) == true) }
  }

  @Test func picturesTooSmallAreAnError() {
    #expect(throws: GraphError.self) { try Models.make("tutorial-mnist", inputShape: [4, 4, 1], classes: 10) }
  }
}
