public import ApusCore

/// The models that have a name.
///
/// ```swift
/// let model = try Models.make("tutorial-mnist", inputShape: [28, 28, 1], classes: 10)
/// ```
/// A network of one's own gets one by `Models.catalog.register(Models.Entry(name: "tiny", ...))`; runs can name it then.
public enum Models {
  /// One model by name.
  public struct Entry: Sendable {
    public let name: String
    /// The layers in a line.
    public let summary: String
    /// Height, width and channels of the pictures that the network was made for.
    public let inputShape: [Int]
    /// Classes of the data that the network was made for.
    public let classes: Int
    /// The network for a number of classes; it ends in logits.
    public let make: @Sendable (_ classes: Int) -> Sequential

    public init(
      name: String, summary: String, inputShape: [Int], classes: Int,
      make: @escaping @Sendable (_ classes: Int) -> Sequential
    ) {
      (self.name, self.summary, self.inputShape, self.classes, self.make) = (name, summary, inputShape, classes, make)
    }
  }

  public static let catalog = Catalog("model", builtIn) { $0.name }

  private static let builtIn: [Entry] = [
    Entry(
      name: "tutorial-mnist", summary: "conv32-pool-conv64-pool-dense128", inputShape: mnist, classes: 10,
      make: tutorial(dense: 128)),
    Entry(
      name: "tutorial-mnist-64", summary: "conv32-pool-conv64-pool-dense64", inputShape: mnist, classes: 10,
      make: tutorial(dense: 64)),
    Entry(
      name: "tutorial-mnist-deep", summary: "conv32-pool-conv64-pool-conv64-dense64", inputShape: mnist, classes: 10,
      make: deepTutorial),
    Entry(
      name: "tutorial-cifar", summary: "conv32-pool-conv64-pool-conv64-dense64", inputShape: cifar, classes: 10,
      make: deepTutorial),
    Entry(
      name: "lenet5", summary: "conv6-pool-conv16-pool-dense120-dense84 (LeCun et al., 1998)", inputShape: mnist,
      classes: 10, make: lenet5),
    Entry(
      name: "resnet20", summary: "residual, 20 layers, for 32x32 pictures (He et al., 2016)", inputShape: cifar,
      classes: 10, make: ResNet.make(.cifar, .basic, [(3, 16), (3, 32), (3, 64)])),
    Entry(
      name: "resnet18", summary: "residual, 18 layers, for 224x224 pictures (He et al., 2016)", inputShape: imageNet,
      classes: 1000, make: ResNet.make(.imageNet, .basic, [(2, 64), (2, 128), (2, 256), (2, 512)])),
    Entry(
      name: "resnet50", summary: "residual, 50 layers with bottlenecks, for 224x224 pictures (He et al., 2016)",
      inputShape: imageNet, classes: 1000,
      make: ResNet.make(.imageNet, .bottleneck, [(3, 64), (4, 128), (6, 256), (3, 512)])),
    Entry(
      name: "resnet18-cifar", summary: "resnet18 with a 3x3 first layer, for 32x32 pictures", inputShape: cifar,
      classes: 10, make: ResNet.make(.cifar, .basic, [(2, 64), (2, 128), (2, 256), (2, 512)])),
  ]

  private static let mnist = [28, 28, 1]
  private static let cifar = [32, 32, 3]
  private static let imageNet = [224, 224, 3]

  /// A model with fresh parameters; it ends in logits, one for each class.
  ///
  /// - Parameters:
  ///   - inputShape: height, width and channels of a picture.
  ///   - seed: of the initial values.
  /// - Throws: `UnknownNameError`, and `GraphError` for pictures too small for the model.
  public static func make(_ name: String, inputShape: [Int], classes: Int, seed: UInt64 = 0) throws -> Sequential {
    let model = try catalog.part(named: name).make(classes)
    try model.build(inputShape: inputShape, seed: seed)
    return model
  }

  private static func tutorial(dense units: Int) -> @Sendable (Int) -> Sequential {
    { classes in
      Sequential {
        Conv2D(32, kernel: 3, activation: .relu)
        MaxPool2D(2)
        Conv2D(64, kernel: 3, activation: .relu)
        MaxPool2D(2)
        Flatten()
        Dense(units, activation: .relu)
        Dense(classes)
      }
    }
  }

  private static let deepTutorial: @Sendable (Int) -> Sequential = { classes in
    Sequential {
      Conv2D(32, kernel: 3, activation: .relu)
      MaxPool2D(2)
      Conv2D(64, kernel: 3, activation: .relu)
      MaxPool2D(2)
      Conv2D(64, kernel: 3, activation: .relu)
      Flatten()
      Dense(64, activation: .relu)
      Dense(classes)
    }
  }

  /// 61,706 parameters at 28x28x1 and 10 classes. LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
  /// document recognition", 1998; every map of the second convolution sees every map of the first.
  private static let lenet5: @Sendable (Int) -> Sequential = { classes in
    Sequential {
      Conv2D(6, kernel: 5, padding: .same, activation: .tanh)
      AveragePool2D(2)
      Conv2D(16, kernel: 5, activation: .tanh)
      AveragePool2D(2)
      Flatten()
      Dense(120, activation: .tanh)
      Dense(84, activation: .tanh)
      Dense(classes)
    }
  }
}

extension Catalog<Models.Entry> {
  /// Adds a model of one's own under its name.
  public func register(_ model: Models.Entry) { register(model, as: model.name) }
}
