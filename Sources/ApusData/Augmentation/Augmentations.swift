public import ApusCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The augmentations that have a name.
public enum Augmentations {
  public static let catalog = Catalog<any Augmentation.Type>(
    "augmentation",
    [
      RandomFlip.self, RandomVerticalFlip.self, RandomCrop.self, RandomResizedCrop.self, RandomTranslation.self,
      RandomRotation.self, RandomZoom.self, RandomShear.self, RandomPerspective.self, ColorJitter.self,
      RandomBrightness.self, RandomLight.self, RandomContrast.self, RandomSaturation.self, RandomHue.self,
      RandomGamma.self, RandomGrayscale.self, RandomInvert.self, RandomPosterize.self, RandomSolarize.self,
      RandomAutocontrast.self, RandomEqualize.self, RandomSharpness.self, RandomBlur.self, Cutout.self,
      RandomErasing.self, RandAugment.self, TrivialAugment.self, MixUp.self, CutMix.self,
    ]
  ) { $0.name }

  /// Augmentations of a line such as `flip,crop:4,rotate:15:border=edge`: names, each with a number for its main property
  /// and others by name.
  ///
  /// - Throws: `UnknownNameError` for a name that is in no catalogue, `DataError` for a property that it has not or a
  ///   value that is none.
  public static func parse(_ text: String) throws -> [any Augmentation] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
      let fields = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      return try make(catalog.part(named: fields[0]), Array(fields.dropFirst()), of: String(item))
    }
  }

  /// The augmentation of that name with all that can be set, as `parse` reads it: `rotate:border=0:degrees=15`.
  public static func usual(_ name: String) throws -> String { try catalog.part(named: name).init().described }

  private static func make<A: Augmentation>(_ type: A.Type, _ fields: [String], of text: String) throws -> A {
    func failure(_ reason: String) -> DataError { DataError(.invalidArgument, at: text, reason) }
    var values = try A().stored()
    let known = values.keys.sorted().joined(separator: ", ")
    for (i, field) in fields.enumerated() {
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let key = parts.count == 2 ? parts[0] : i == 0 ? A.mainKey : nil else {
        throw failure(
          "'\(field)' says no property" + (known.isEmpty ? "; there is none" : "; write one of \(known) and ="))
      }
      guard values[key] != nil else {
        throw failure("'\(A.name)' has no '\(key)'" + (known.isEmpty ? "" : "; it has \(known)"))
      }
      values[key] = JSONValue(option: parts.last!)
    }
    let made: A
    do {
      made = try JSONDecoder().decode(A.self, from: JSONEncoder().encode(values))
    } catch {
      throw failure("the values do not fit; the usual ones are \(try A().described)")
    }
    if let problem = made.problem { throw failure(problem) }
    return made
  }
}

extension Catalog<any Augmentation.Type> {
  /// Adds an augmentation of one's own under its name.
  public func register(_ augmentation: any Augmentation.Type) { register(augmentation, as: augmentation.name) }
}

extension Augmentation {
  fileprivate func stored() throws -> [String: JSONValue] {
    try JSONDecoder().decode([String: JSONValue].self, from: JSONEncoder().encode(self))
  }

  /// As `Augmentations.parse` reads it.
  fileprivate var described: String {
    get throws {
      let values = try stored().sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.option)" }
      return ([name] + values).joined(separator: ":")
    }
  }
}

extension JSONValue {
  /// What was typed.
  fileprivate init(option text: String) {
    if let number = Double(text) {
      self = .number(number)
    } else {
      self = text == "true" ? .flag(true) : text == "false" ? .flag(false) : .text(text)
    }
  }

  fileprivate var option: String {
    switch self {
    case .text(let text): text
    case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
    default: description
    }
  }
}

/// An augmentation as files hold it: an object with its name and what it encodes to.
package struct NamedAugmentation: Codable, Sendable {
  package let augmentation: any Augmentation
  private static let nameKey = "name"

  package init(_ augmentation: any Augmentation) { self.augmentation = augmentation }

  /// - Throws: `UnknownNameError` for an augmentation that is in no catalogue.
  package init(from decoder: any Decoder) throws {
    augmentation = try Augmentations.catalog.part(named: decoder.partName(Self.nameKey)).init(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws { try augmentation.encode(to: encoder, nameKey: Self.nameKey) }
}
