import CImage

/// The libraries of the system that pictures and compressed files are read with. They are loaded at their first use, so
/// that programs without either need none.
enum SystemLibrary: CaseIterable {
  case png, jpeg, zlib

  /// - Parameter name: What could not be read or written without it.
  /// - Throws: `DataError` that says what to install.
  func require(for name: String) throws {
    guard let problem else { return }
    let (library, packages) = description
    throw DataError(
      .missingLibrary, at: name, "\(library) cannot be loaded: \(problem)", advice: "install it (\(packages))")
  }

  /// `nil` where the library is loaded, else why not.
  var problem: String? {
    switch self {
    case .png: Self.pngProblem
    case .jpeg: Self.jpegProblem
    case .zlib: Self.zlibProblem
    }
  }

  private static let pngProblem = apus_png_load().map(String.init(cString:))
  private static let jpegProblem = apus_jpeg_load().map(String.init(cString:))
  private static let zlibProblem = apus_zlib_load().map(String.init(cString:))

  private var description: (library: String, packages: String) {
    switch self {
    case .png: ("libpng", "Debian: libpng16-16; Ubuntu from 24.04 on: libpng16-16t64")
    case .jpeg: ("libjpeg", "Debian: libjpeg62-turbo; Ubuntu: libjpeg-turbo8")
    case .zlib: ("zlib", "Debian, Ubuntu: zlib1g")
    }
  }
}
