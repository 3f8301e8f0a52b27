import ApusCore
public import ApusNN
import ApusSafetensors

extension Model {
  /// Writes the model's parameters by their paths in it, as safetensors; the file appears under its name only when it
  /// is complete.
  ///
  /// - Throws: `GraphError` for a model without sizes, `SafetensorsError` and `FileError` when writing fails.
  public func save(to path: String, metadata: [String: String] = [:]) throws {
    let walk = ModelWalk(self)
    if let fresh = walk.parameters.first(where: { !$0.isInitialized }) {
      throw GraphError(label: fresh.name, message: "has no value to save; build or train the model first")
    }
    let tensors = try zip(walk.paths, walk.parameters).map { ($0, try $1.value()) }
    try Safetensors.write(tensors, metadata: metadata, to: path)
  }

  /// Reads the model's parameters by their paths in it from a safetensors file.
  ///
  /// All names, shapes and types are compared first: when anything does not fit, all of it is listed and nothing is
  /// changed.
  ///
  /// The model has sizes, that is, it was built or trained.
  ///
  /// - Returns: the file's metadata.
  /// - Throws: `TrainingError` listing what does not fit, `SafetensorsError` and `FileError` when the file is bad.
  @discardableResult
  public func load(from path: String) throws -> [String: String] {
    let walk = ModelWalk(self)
    if let fresh = walk.parameters.first(where: { !$0.isInitialized }) {
      throw GraphError(label: fresh.name, message: "has no shape yet; build the model before loading weights")
    }
    let (tensors, metadata) = try Safetensors.read(from: path)
    try assign(tensors, to: Array(zip(walk.paths, walk.parameters)), path: path)
    return metadata
  }
}

/// Gives each parameter the tensor of its name; all or nothing.
func assign(_ tensors: [Safetensors.NamedArray], to parameters: [(name: String, box: Parameter)], path: String) throws {
  let arrays = try fitting(tensors.map { ($0.name, $0.array) }, parameters.map { ($0, $1.type) }, path: path)
  for (name, parameter) in parameters { try parameter.assign(arrays[name]!) }
}

/// The tensors of a file by name.
///
/// - Throws: `TrainingError` listing all that is missing, of another type, or none of the `expected`.
func fitting(
  _ tensors: [(name: String, array: NDArray)], _ expected: [(name: String, type: TensorType)], path: String
) throws -> [String: NDArray] {
  let arrays = Dictionary(tensors.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
  var problems: [String] = []
  for (name, type) in expected {
    guard let array = arrays[name] else {
      problems.append("'\(name)' is missing")
      continue
    }
    if array.shape != type.shape || array.dtype != type.dtype {
      problems.append(
        "'\(name)' is \(array.dtype) \(array.shape.shapeDescription), the model has \(type.dtype) "
          + type.shape.shapeDescription)
    }
  }
  let known = Set(expected.map(\.name))
  problems += tensors.map(\.name).filter { !known.contains($0) }.map { "'\($0)' is not in the model" }
  guard problems.isEmpty else {
    throw TrainingError(
      .badFile, at: path, "does not fit the model; nothing was loaded: \(problems.joined(separator: "; "))")
  }
  return arrays
}
