/// A named box of state that lives on the device between steps: a weight, a running statistic, optimizer state.
///
/// Layers are plain structs that hold boxes; two layers that hold the same box share it. A box made without a shape
/// is filled by the layer at its first trace, when the input's shape is known.
public final class Parameter {
  /// The path in the model that was built with it first: `conv2d_1.kernel`. Before that, the path in the model that
  /// was looked at last.
  public private(set) var name: String
  package private(set) var isNamed = false
  /// Whether it is learnt from gradients; if not, it is a statistic or other state that its layer moves.
  private let isLearnt: Bool
  /// Whether training leaves it as it is: no optimizer moves a frozen weight, no layer a frozen statistic.
  public var isFrozen = false
  /// Whether optimizers update it: it is learnt and not frozen. Setting it freezes or unfreezes.
  public var isTrainable: Bool {
    get { isLearnt && !isFrozen }
    set { isFrozen = !newValue }
  }
  private var stored: NDArray?
  /// The session that holds the current value, once there is one.
  package weak var session: (any Session)?
  /// The larger box of which this one is a part: all trainable parameters lie in one arena, as do their gradients.
  package private(set) var home: (arena: Parameter, offset: Int)?

  /// - Parameter isTrainable: whether it is learnt from gradients; a statistic is not.
  public init(_ name: String, isTrainable: Bool = true) {
    self.name = name
    isLearnt = isTrainable
  }

  public convenience init(_ name: String, value: NDArray, isTrainable: Bool = true) {
    self.init(name, isTrainable: isTrainable)
    stored = value
  }

  /// Names the box after its `path` in a model; for good when that model is built. A box named for good stays so.
  package func name(_ path: String, forGood: Bool) {
    guard !isNamed else { return }
    name = path
    isNamed = forGood
  }

  /// Whether shape and initial value are known.
  public var isInitialized: Bool { stored != nil }

  /// Shape of the value; the box must be initialized.
  public var shape: [Int] { initialValue.shape }
  public var dtype: DType { initialValue.dtype }
  package var type: TensorType { TensorType(shape: shape, dtype: dtype) }

  /// The value that the box starts with on a device.
  package var initialValue: NDArray {
    guard let stored else {
      preconditionFailure("Parameter '\(name)' has no shape yet: run its layer once, or build the model first")
    }
    return stored
  }

  /// Gives a new box its shape and first value; later calls leave it as it is.
  public func initialize(_ makeValue: () -> NDArray) {
    if stored == nil { stored = makeValue() }
  }

  /// The current value, read from the device where the box lives on one.
  public func value() throws -> NDArray {
    if let session { return try session.read(self) }
    return initialValue
  }

  /// Replaces the value, on the device too; the shape and type must be those of the box.
  ///
  /// - Throws: `GraphError` when they are not.
  public func assign(_ value: NDArray) throws {
    guard let old = stored else {
      stored = value
      return
    }
    guard value.shape == old.shape, value.dtype == old.dtype else {
      throw GraphError(
        label: name,
        message: "is \(old.dtype) \(old.shape.shapeDescription), the new value is \(value.dtype) "
          + "\(value.shape.shapeDescription); shapes and types must be equal")
    }
    stored = value
    try session?.write(value, to: self)
  }

  /// Makes this box a part of `arena`, starting at element `offset`.
  package func move(to arena: Parameter, offset: Int) { home = (arena, offset) }

  /// Makes this box one of its own again; its session has forgotten it.
  package func leaveArena() { home = nil }
}
