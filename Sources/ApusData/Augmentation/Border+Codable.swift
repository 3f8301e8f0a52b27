/// `edge`, `reflect`, `symmetric`, `wrap`, or the value of a constant.
extension PictureEdit.Border: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Double.self) {
      self = .constant(value)
      return
    }
    let name = try container.decode(String.self)
    guard let border = Self.named.first(where: { $0.name == name })?.border else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription:
          "a border is a value or one of \(Self.named.map(\.name).joined(separator: ", ")), not '\(name)'")
    }
    self = border
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .constant(let value) = self {
      try container.encode(value)
    } else {
      try container.encode(Self.named.first { $0.border == self }!.name)
    }
  }

  private static let named: [(name: String, border: Self)] = [
    ("edge", .edge), ("reflect", .reflect), ("symmetric", .symmetric), ("wrap", .wrap),
  ]
}
