/// The format of a picture file, told from its first bytes.
public enum PictureFormat: String, Sendable, Hashable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case gif = "GIF"
  case webP = "WebP"
  case tiff = "TIFF"
  case bmp = "BMP"
  case heic = "HEIC"
  case avif = "AVIF"

  /// Bytes that suffice to tell.
  static let headerLength = 12

  /// - Parameter bytes: the file's first ones, or all of them.
  init?(header bytes: some Collection<UInt8>) {
    let header = Array(bytes.prefix(Self.headerLength))
    func has(_ text: String, at offset: Int = 0) -> Bool { header.dropFirst(offset).starts(with: text.utf8) }
    if header.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if header.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if has("GIF87a") || has("GIF89a") {
      self = .gif
    } else if has("RIFF") && has("WEBP", at: 8) {
      self = .webP
    } else if header.starts(with: [0x49, 0x49, 42, 0]) || header.starts(with: [0x4D, 0x4D, 0, 42]) {
      self = .tiff
    } else if has("BM") && header.count >= Self.headerLength {
      self = .bmp
    } else if has("ftyp", at: 4) {
      // ISO base media: the brand says what is inside.
      if has("avif", at: 8) || has("avis", at: 8) {
        self = .avif
      } else if ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"].contains(where: { has($0, at: 8) }) {
        self = .heic
      } else {
        return nil
      }
    } else {
      return nil
    }
  }

  /// Extensions of such files, in lower case.
  var extensions: [String] {
    switch self {
    case .png: ["png", "apng"]
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif", "jif", "mpo"]
    case .gif: ["gif"]
    case .webP: ["webp"]
    case .tiff: ["tif", "tiff"]
    case .bmp: ["bmp", "dib"]
    case .heic: ["heic", "heif"]
    case .avif: ["avif"]
    }
  }

  static let allExtensions = Set(allCases.flatMap(\.extensions))
}
