import ApusCore

/// Which data a network was trained or tested on: enough to tell later whether other data are the same.
public struct DataIdentity: Sendable, Hashable, Codable, CustomStringConvertible {
  /// What users call the set: `MNIST`.
  public var name: String
  /// The number of pictures.
  public var count: Int
  /// The MD5 sum of all pixels and then all labels (32 bits, little endian), wherever and however they are stored.
  public var md5: String

  public init(name: String, count: Int, md5: String) {
    self.name = name
    self.count = count
    self.md5 = md5
  }

  /// Whether pictures and labels are the same, whatever the set is called.
  public func hasSameContents(as other: DataIdentity) -> Bool { count == other.count && md5 == other.md5 }

  /// `MNIST, 60000 pictures, MD5 0123...`
  public var description: String { "\(name), \(count) pictures, MD5 \(md5)" }
}

extension ImageDataset {
  /// The set's name, size and sum. Takes a second for two gigabytes.
  public var identity: DataIdentity {
    var digest = MD5()
    images.bytes.withUnsafeBytes { digest.update($0) }
    labels.bytes.withUnsafeBytes { digest.update($0) }
    return DataIdentity(name: name, count: count, md5: digest.finish())
  }
}
