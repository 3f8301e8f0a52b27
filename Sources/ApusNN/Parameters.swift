public import ApusCore

extension Model {
  /// The parameters of a model, each once, in the order of its properties; named by their paths.
  ///
  /// The first build of a model settles the names. A look at a part of it, or another model that shares its layers,
  /// leaves them; weight files always have the paths in the model that is saved or loaded.
  ///
  /// Layers are plain structs, so their properties are looked through: parameters, layers, and arrays, optionals and
  /// structs of them. A layer in a `Sequential` is called after its type (`conv2d`, `conv2d_1`), a property by its own
  /// name: `features.conv2d_1.kernel`, `shortcut.kernel`, `blocks.0.first.bias`. What is found twice is shared and
  /// keeps its first name.
  ///
  /// ```swift
  /// struct Net: Layer {
  ///   let body = Sequential { Conv2D(8, kernel: 3); GlobalAveragePool2D() }, head = Dense(10)
  ///   func forward(_ x: Tensor) -> Tensor { head(body(x)) }
  /// }
  /// Net().parameters.map(\.name)   // body.conv2d.kernel, body.conv2d.bias, head.kernel, head.bias
  /// ```
  public var parameters: [Parameter] {
    ModelWalk(self).parameters
  }
}

/// A walk through a model's properties that names what has no name for good.
package struct ModelWalk {
  package private(set) var parameters: [Parameter] = []
  /// Those of `parameters` in this model, whatever the boxes are called: the keys in weight files.
  package private(set) var paths: [String] = []
  private(set) var layerNames: [LayerName] = []
  /// Those of `layerNames` in this model.
  private(set) var layerPaths: [String] = []
  private var seen: Set<ObjectIdentifier> = []
  private let naming: Naming

  private enum Naming { case none, forNow, forGood }

  /// - Parameter settlesNames: whether names are given for good: the model is about to be built.
  package init(_ model: some Model, settlesNames: Bool = false) {
    naming = settlesNames ? .forGood : .forNow
    visit(model, path: "")
  }

  private init(unnamed part: Any) {
    naming = .none
    visit(part, path: "")
  }

  /// The path of `part` in the model that was built with it, told from a box in it, whose path there ends in its path
  /// here; `nil` where there is none.
  static func settledPath(of part: some Model) -> String? {
    let walk = ModelWalk(unnamed: part)
    let boxes =
      zip(walk.parameters, walk.paths).lazy.map { ($0.name, $0.isNamed, $1) }
      + zip(walk.layerNames, walk.layerPaths).lazy.map { ($0.path, $0.isSettled, $1) }
    guard let (whole, isSettled, own) = boxes.first, isSettled else { return nil }
    if whole == own { return "" }
    return whole.hasSuffix("." + own) ? String(whole.dropLast(own.count + 1)) : nil
  }

  private mutating func visit(_ value: Any, path: String) {
    if let parameter = value as? Parameter {
      guard seen.insert(ObjectIdentifier(parameter)).inserted else { return }
      if naming != .none { parameter.name(path, forGood: naming == .forGood) }
      parameters.append(parameter)
      paths.append(path)
    } else if let layer = value as? any NamedLayer {
      let name = layer.layerName
      guard seen.insert(ObjectIdentifier(name)).inserted else { return }
      if naming != .none { name.settle(path, forGood: naming == .forGood) }
      layerNames.append(name)
      layerPaths.append(path)
      // Not of `value`: that may be an optional, which the cast looks through.
      visitMembers(of: layer, path: path)
    } else if value is LayerName {
      return
    } else {
      visitMembers(of: value, path: path)
    }
  }

  private mutating func visitMembers(of value: Any, path: String) {
    if let sequence = value as? Sequential {
      for (name, layer) in sequence.elements { visit(layer, path: join(path, name)) }
      return
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      for child in mirror.children { visit(child.value, path: path) }
    case .collection:
      // Arrays of numbers may be long; a look at one element tells.
      guard let first = mirror.children.first, !(first.value is any Numeric) else { return }
      for (index, child) in mirror.children.enumerated() { visit(child.value, path: join(path, "\(index)")) }
    case .dictionary:
      let pairs = mirror.children.map { Mirror(reflecting: $0.value).children.map(\.value) }
      for pair in pairs.sorted(by: { "\($0[0])" < "\($1[0])" }) { visit(pair[1], path: join(path, "\(pair[0])")) }
    default:
      // An object may refer back to itself; its members may be inherited.
      if mirror.displayStyle == .class, !seen.insert(ObjectIdentifier(value as AnyObject)).inserted { return }
      var level: Mirror? = mirror
      while let current = level {
        for child in current.children { visit(child.value, path: child.label.map { join(path, $0) } ?? path) }
        level = current.superclassMirror
      }
    }
  }

  private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }
}
