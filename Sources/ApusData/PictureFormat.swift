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
  static let headerLength = 64

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
    } else if [42, 43].contains(where: { header.starts(with: [0x49, 0x49, $0, 0]) })
      || [42, 43].contains(where: { header.starts(with: [0x4D, 0x4D, 0, $0]) })
    {
      self = .tiff
    } else if has("BM") && header.count >= 26 && header[14] >= 12 && header[15..<18].allSatisfy({ $0 == 0 }) {
      // Behind the file's header, the length of the bitmap's.
      self = .bmp
    } else if has("ftyp", at: 4) {
      // ISO base media: the brands, of which the first is the main one, say what is inside. `mif1` is any picture.
      let brands = [8] + Array(stride(from: 16, to: header.count - 3, by: 4))
      func isBrand(_ names: [String], at offset: Int) -> Bool { names.contains { has($0, at: offset) } }
      let avif = ["avif", "avis"], heic = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]
      if let first = brands.first(where: { isBrand(avif + heic, at: $0) }) {
        self = isBrand(avif, at: first) ? .avif : .heic
      } else if isBrand(["mif1", "msf1", "mif2"], at: 8) {
        self = .heic
      } else {
        return nil
      }
    } else {
      return nil
    }
  }

  /// What such files are read with; `nil` for what needs no library.
  var library: SystemLibrary? {
    switch self {
    case .png: .png
    case .jpeg: .jpeg
    case .gif: .gif
    case .webP: .webP
    case .tiff: .tiff
    case .bmp: nil
    case .heic, .avif: .heif
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
    case .heic: ["heic", "heif", "hif"]
    case .avif: ["avif"]
    }
  }

  static let allExtensions = Set(allCases.flatMap(\.extensions))
}
