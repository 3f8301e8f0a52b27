import ApusCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Loss and metrics as means over samples.
public struct Evaluation: Sendable, Hashable {
  public var loss: Double
  /// By name: `accuracy`, `top_5_accuracy`; of several outputs `digit_loss`, `digit_accuracy`.
  public var metrics: [String: Double]

  public init(loss: Double, metrics: [String: Double] = [:]) {
    self.loss = loss
    self.metrics = metrics
  }

  /// The share of right answers, where the trainer has that metric.
  public var accuracy: Double? { metrics["accuracy"] }
}

/// What a training run has shown, epoch by epoch: the contents of `history.json`.
public struct History: Sendable, Hashable, Codable {
  public var device: String
  public var model: String
  public var seed: UInt64
  public var epochs: [Epoch] = []
  /// On data that training has not seen.
  public var test: Evaluation?

  public init(device: String, model: String, seed: UInt64) {
    self.device = device
    self.model = model
    self.seed = seed
  }

  /// One pass through the training data.
  public struct Epoch: Sendable, Hashable {
    /// From 1.
    public var epoch: Int
    public var loss: Double
    public var metrics: [String: Double]
    public var validationLoss: Double?
    public var validationMetrics: [String: Double] = [:]
    /// Wall time of the training steps; validation is not in it.
    public var seconds: Double
    public var imagesPerSecond: Double
    /// How long steps waited for their samples, where data are read from the host: at most this long, the device had
    /// nothing to do. `nil` where data lie on the device.
    public var inputWaitSeconds: Double?

    public init(epoch: Int, loss: Double, metrics: [String: Double], seconds: Double, imagesPerSecond: Double) {
      self.epoch = epoch
      self.loss = loss
      self.metrics = metrics
      self.seconds = seconds
      self.imagesPerSecond = imagesPerSecond
    }

    public var accuracy: Double? { metrics["accuracy"] }
    public var validationAccuracy: Double? { validationMetrics["accuracy"] }

    /// Everything measured by its name in `history.json`, validation with the prefix `val_`.
    var values: [String: Double] {
      var values = metrics
      values["loss"] = loss
      values["val_loss"] = validationLoss
      for (name, value) in validationMetrics { values["val_" + name] = value }
      return values
    }
  }

  /// Writes `history.json`.
  public func write(to path: String) throws { try writeJSON(self, to: path) }
}

/// A key of an object whose keys are names of metrics.
private struct Name: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer where K == Name {
  fileprivate func numbers(except names: Set<String>) throws -> [String: Double] {
    let keys = allKeys.filter { !names.contains($0.stringValue) }
    return try Dictionary(uniqueKeysWithValues: keys.map { ($0.stringValue, try decode(Double.self, forKey: $0)) })
  }
}

extension Evaluation: Codable {
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    self.init(loss: try values.decode(Double.self, forKey: Name("loss")), metrics: try values.numbers(except: ["loss"]))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    try container.encode(loss, forKey: Name("loss"))
    for (name, value) in metrics { try container.encode(value, forKey: Name(name)) }
  }
}

extension History.Epoch: Codable {
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    let measured = try values.numbers(
      except: ["epoch", "loss", "val_loss", "seconds", "images_per_second", "input_wait_seconds"])
    self.init(
      epoch: try values.decode(Int.self, forKey: Name("epoch")),
      loss: try values.decode(Double.self, forKey: Name("loss")),
      metrics: measured.filter { !$0.key.hasPrefix("val_") },
      seconds: try values.decode(Double.self, forKey: Name("seconds")),
      imagesPerSecond: try values.decode(Double.self, forKey: Name("images_per_second")))
    validationLoss = try values.decodeIfPresent(Double.self, forKey: Name("val_loss"))
    inputWaitSeconds = try values.decodeIfPresent(Double.self, forKey: Name("input_wait_seconds"))
    for (name, value) in measured where name.hasPrefix("val_") { validationMetrics[String(name.dropFirst(4))] = value }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    try container.encode(epoch, forKey: Name("epoch"))
    try container.encode(seconds, forKey: Name("seconds"))
    try container.encode(imagesPerSecond, forKey: Name("images_per_second"))
    try container.encodeIfPresent(inputWaitSeconds, forKey: Name("input_wait_seconds"))
    for (name, value) in values { try container.encode(value, forKey: Name(name)) }
  }
}

/// Writes `value` as readable JSON with sorted keys; the file appears under its name only when it is complete.
func writeJSON(_ value: some Encodable, to path: String) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  try AtomicFile.write(Array(try encoder.encode(value)) + [UInt8(ascii: "\n")], to: path)
}

/// Reads a small JSON file.
///
/// - Throws: `TrainingError` saying what is wrong in it, `FileError` when it cannot be read.
func readJSON<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
  guard let bytes = try File.contents(of: path, maximumByteCount: 16 << 20) else {
    throw TrainingError(.badFile, at: path, "is larger than 16 MB; this is not a file of a training run")
  }
  do {
    return try JSONDecoder().decode(type, from: Data(bytes))
  } catch {
    throw TrainingError(.badFile, at: path, "cannot be understood: \(error)")
  }
}
