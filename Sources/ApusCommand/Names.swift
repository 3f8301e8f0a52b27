import Apus
import ArgumentParser

/// A network by the name that users type.
struct ModelName: ExpressibleByArgument {
  let name: String

  init(_ name: String) { self.name = name }

  init?(argument: String) {
    guard Models.catalog.names.contains(argument) else { return nil }
    name = argument
  }

  static var allValueStrings: [String] { Models.catalog.names }
  var defaultValueDescription: String { name }
}

/// An optimizer by the name that users type.
struct OptimizerName: ExpressibleByArgument {
  let name: String

  init(_ name: String) { self.name = name }

  init?(argument: String) {
    guard Optimizers.catalog.names.contains(argument) else { return nil }
    name = argument
  }

  static var allValueStrings: [String] { Optimizers.catalog.names }
  var defaultValueDescription: String { name }
}

/// Where pictures lie in training.
enum PlacementName: String, CaseIterable, ExpressibleByArgument {
  case auto, device, host

  var placement: DataPlacement {
    switch self {
    case .auto: .automatic
    case .device: .device
    case .host: .host
    }
  }
}

/// A type of numbers to compute in.
enum PrecisionName: String, CaseIterable, ExpressibleByArgument {
  case float32, mixed

  /// - Throws: `ValidationError` for what cannot be computed in.
  func validate() throws {
    if self == .mixed {
      throw ValidationError("--precision mixed is not there yet; use float32.")
    }
  }
}

/// Height, width and channels of a picture: `28x28x1`.
struct ImageShape: ExpressibleByArgument {
  let sizes: [Int]

  init(_ sizes: [Int]) { self.sizes = sizes }

  init?(argument: String) {
    let sizes = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 }), sizes.checkedElementCount != nil else { return nil }
    self.sizes = sizes
  }

  var defaultValueDescription: String { sizes.shapeDescription }
}
