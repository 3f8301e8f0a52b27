import CImage

/// The libraries of the system that pictures and compressed files are read with. They are loaded at their first use, so
/// that programs without either need none.
enum SystemLibrary: CaseIterable {
  case png, jpeg, webP, heif, tiff, gif, zlib

  /// - Parameters:
  ///   - name: What could not be read or written without it.
  ///   - format: What it is, where the name does not say so.
  /// - Throws: `DataError` that says what to install.
  func require(for name: String, format: PictureFormat? = nil) throws {
    guard let problem else { return }
    let (library, packages) = description
    let kind = format.map { "it is \($0.rawValue), and " } ?? ""
    throw DataError(
      .missingLibrary, at: name, "\(kind)\(library) cannot be loaded: \(problem)", advice: "install it (\(packages))")
  }

  /// `nil` where the library is loaded, else why not.
  var problem: String? {
    switch self {
    case .png: Self.pngProblem
    case .jpeg: Self.jpegProblem
    case .webP: Self.webPProblem
    case .heif: Self.heifProblem
    case .tiff: Self.tiffProblem
    case .gif: Self.gifProblem
    case .zlib: Self.zlibProblem
    }
  }

  private static let pngProblem = apus_png_load().map(String.init(cString:))
  private static let jpegProblem = apus_jpeg_load().map(String.init(cString:))
  private static let webPProblem = apus_webp_load().map(String.init(cString:))
  private static let heifProblem = apus_heif_load().map(String.init(cString:))
  private static let tiffProblem = apus_tiff_load().map(String.init(cString:))
  private static let gifProblem = apus_gif_load().map(String.init(cString:))
  private static let zlibProblem = apus_zlib_load().map(String.init(cString:))

  private var description: (library: String, packages: String) {
    switch self {
    case .png: ("libpng", "Debian: libpng16-16; Ubuntu from 24.04 on: libpng16-16t64")
    case .jpeg: ("libjpeg", "Debian: libjpeg62-turbo; Ubuntu: libjpeg-turbo8")
    case .webP: ("libwebp", "Debian, Ubuntu: libwebp7")
    case .heif: ("libheif", "Debian, Ubuntu: libheif1")
    case .tiff: ("libtiff", "Debian: libtiff6; Ubuntu before 24.04: libtiff5")
    case .gif: ("giflib", "Debian, Ubuntu: libgif7")
    case .zlib: ("zlib", "Debian, Ubuntu: zlib1g")
    }
  }
}
