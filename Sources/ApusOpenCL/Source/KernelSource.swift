import ApusCore
import CKernels

/// The text of a program: definitions of one specialisation, the shared prelude, and a family's file; and how it is
/// built.
struct KernelSource {
  /// The files without their extension, for messages.
  let name: String
  let defines: String
  let text: String
  /// What `clBuildProgram` takes. No warnings: pocl counts them on standard error, several a kernel where vectors are
  /// wider than the processor's registers.
  let options: String
  /// Whether INDEX is `long`, not `int`.
  let hasLongIndices: Bool

  /// - Parameters:
  ///   - files: the family's file, after those that it builds on, if any.
  ///   - hasLongIndices: for tensors of 2^31 elements or more.
  init(
    _ files: [String], _ defines: Defines, hasLongIndices: Bool = false, for device: OpenCLDevice
  ) throws(BackendError) {
    self.hasLongIndices = hasLongIndices
    name = files.joined(separator: " and ")
    self.defines = defines.text
    // pocl's own declarations of built-in functions are left out: builtins.cl says why.
    var text = device.isPocl ? try Self.file("builtins") : ""
    text += (hasLongIndices ? "#define INDEX long\n" : "") + defines.text
    // Where no instruction does it, the function takes a hundred of them for the one rounding.
    if !device.hasFusedMultiplyAdd { text += "#undef fma\n#define fma(a, b, c) ((a) * (b) + (c))\n" }
    for file in ["common"] + files { text += try Self.file(file) }
    self.text = text
    options = device.isPocl ? "-cl-std=CL1.2 -w -D_OPENCL_H_" : "-cl-std=CL1.2 -w"
  }

  /// A user's own, to which nothing is added.
  init(own text: String, name: String) {
    self.name = name
    self.text = text
    (defines, options, hasLongIndices) = ("", "-cl-std=CL1.2 -w", false)
  }

  /// A checksum of all files, as text.
  static func checksum() throws(BackendError) -> String {
    var text = ""
    var number = 0
    while let name = apus_kernel_name(number) {
      text += try file(String(cString: name))
      number += 1
    }
    return String(Checksum(text.utf8).value, radix: 16)
  }

  /// `kernels/<name>.cl`: embedded in the program, or read from the folder that `APUS_KERNELS` names.
  private static func file(_ name: String) throws(BackendError) -> String {
    if let folder = Environment["APUS_KERNELS"] {
      let path = FilePath.join(folder, name + ".cl")
      do {
        guard let bytes = try File.contents(of: path, maximumByteCount: 1 << 20) else {
          throw BackendError(.buildFailure, "\(path): more than 1 MB; APUS_KERNELS must name a folder of kernels")
        }
        return String(decoding: bytes, as: UTF8.self)
      } catch {
        throw BackendError(.buildFailure, "\(error); unset APUS_KERNELS to use the kernels of this program")
      }
    }
    guard let text = apus_kernel_source(name) else {
      preconditionFailure("OpenCL: the kernel file '\(name)' is not embedded; add it to Sources/CKernels/kernels.c")
    }
    return String(cString: text)
  }
}

/// `#define` lines in the order in which they were given.
struct Defines: ExpressibleByDictionaryLiteral {
  private(set) var text = ""

  init(dictionaryLiteral elements: (String, Int)...) {
    for (name, value) in elements { self[name] = value }
  }

  subscript(name: String) -> Int {
    @available(*, unavailable) get { fatalError() }
    set { define(name, "\(newValue)") }
  }

  /// `#define name value`; the name may have parameters, the value line breaks.
  mutating func define(_ name: String, _ value: String) {
    text += "#define \(name) \(value.split(separator: "\n").joined(separator: " \\\n"))\n"
  }

  mutating func append(_ other: Defines) { text += other.text }
  mutating func append(_ line: String) { text += line + "\n" }
}
