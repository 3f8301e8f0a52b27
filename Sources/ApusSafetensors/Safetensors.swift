public import ApusCore

/// Reads and writes the safetensors format: named arrays and string metadata, and nothing that can run.
///
/// A file is `N` (8 bytes, little endian), a JSON header of `N` bytes, then the arrays' bytes, row-major and little
/// endian, without holes or overlaps. The format is described at https://github.com/huggingface/safetensors.
///
/// ```swift
/// try Safetensors.write([("dense.bias", NDArray([0.5, 1] as [Float], shape: [2]))], to: "model.safetensors")
/// let (tensors, metadata) = try Safetensors.read(from: "model.safetensors")
/// print(tensors[0].name, tensors[0].array)   // dense.bias float32[2] 0.5 1.0
/// ```
public enum Safetensors {
  public typealias NamedArray = (name: String, array: NDArray)

  /// Reads tensors, in the order of the bytes in the file, and the metadata.
  ///
  /// `F32`, `F64`, `I32` and `U8` become the element type of the same meaning, `BOOL` becomes uint8; `F16` and `BF16`
  /// become float32, which holds each of their values; integers of other widths become int32 where their values fit.
  /// The whole header is checked against the file's size before memory is taken for any tensor.
  ///
  /// - Parameter isWanted: Whether a tensor is read (all, unless told otherwise); what is passed over may be of any
  ///   type.
  /// - Throws: `SafetensorsError` for a file that breaks the format and for a wanted tensor of another element type or
  ///   with a value beyond int32, `HostMemoryError` when there is no memory for a tensor, `FileError` when the file
  ///   cannot be read.
  public static func read(
    from path: String, where isWanted: (_ name: String) -> Bool = { _ in true }
  ) throws -> (tensors: [NamedArray], metadata: [String: String]) {
    let file = try File(reading: path)
    let header = try SafetensorsHeader(reading: file)
    var tensors: [NamedArray] = []
    // The entries lie one after another from the end of the header on.
    for entry in header.entries where isWanted(entry.name) {
      try file.seek(to: header.dataStart + entry.begin)
      tensors.append((entry.name, try array(of: entry, in: file)))
    }
    return (tensors, header.metadata)
  }

  /// Writes the tensors and the metadata; the file appears under its name only when it is complete.
  ///
  /// Arrays of larger elements come first, so that each is aligned to its element; otherwise the given order is kept.
  ///
  /// - Throws: `SafetensorsError` when a name is used twice or reserved, `FileError` when the file cannot be written.
  public static func write(
    _ tensors: [NamedArray], metadata: [String: String] = [:], to path: String
  ) throws {
    var names: Set<String> = []
    for (name, _) in tensors {
      if name == SafetensorsHeader.metadataKey {
        throw SafetensorsError(path: path, reason: "'\(name)' is reserved and cannot name a tensor; choose another")
      }
      if !names.insert(name).inserted {
        throw SafetensorsError(path: path, reason: "two tensors are named '\(name)'; names must differ")
      }
    }
    let ordered = tensors.enumerated().sorted {
      ($1.element.array.dtype.byteCount, $0.offset) < ($0.element.array.dtype.byteCount, $1.offset)
    }.map(\.element)
    let header = SafetensorsHeader.encode(ordered, metadata: metadata)
    guard header.count <= SafetensorsHeader.maximumByteCount else {
      throw SafetensorsError(
        path: path,
        reason: "the header would take \(header.count) bytes, the format allows \(SafetensorsHeader.maximumByteCount);"
          + " shorten the metadata")
    }
    try AtomicFile.write(to: path) { file in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
      try file.write(header)
      for (_, array) in ordered { try file.write(array.bytes) }
    }
  }

  private static func array(of entry: SafetensorsHeader.Entry, in file: File) throws -> NDArray {
    func failure(_ reason: String) -> SafetensorsError {
      SafetensorsError(path: file.path, reason: "tensor '\(entry.name)': \(reason)")
    }
    if case .other(let name) = entry.type {
      throw failure(
        "elements of type \(name) are not supported; convert to F32, F16, BF16, F64, I32 or U8, "
          + "or read the others alone")
    }
    let bytes = try readBytes(of: entry, in: file)
    let array: NDArray?
    switch entry.type {
    case .native(let dtype): array = NDArray(bytes: bytes, shape: entry.shape, dtype: dtype)
    case .float16: array = NDArray(widen(bytes, with: float(float16Bits:)), shape: entry.shape)
    case .bfloat16: array = NDArray(widen(bytes, with: { Float(bitPattern: UInt32($0) << 16) }), shape: entry.shape)
    case .signed(let byteCount), .unsigned(let byteCount):
      var isSigned = false
      if case .signed = entry.type { isSigned = true }
      let values = integers(bytes, byteCount: byteCount, isSigned: isSigned)
      if let stray = values.first(where: { Int32(exactly: $0) == nil || !isSigned && $0 < 0 }) {
        let value = isSigned ? "\(stray)" : "\(UInt64(bitPattern: stray))"
        throw failure("its value \(value) does not fit int32, the widest integer here; read the others alone")
      }
      array = NDArray(values.map { Int32($0) }, shape: entry.shape)
    case .other: array = nil
    }
    guard let array else { throw failure("its size does not fit its shape") }
    return array
  }

  private static func readBytes(of entry: SafetensorsHeader.Entry, in file: File) throws -> [UInt8] {
    let count = entry.byteCount
    // Once as stored, and once more where it is converted.
    let isConverted = if case .native = entry.type { false } else { true }
    try HostMemory.require(count, for: "the tensor '\(entry.name)' of \(file.path)")
    if isConverted { try HostMemory.require(entry.shape, .float64, for: "the tensor '\(entry.name)' of \(file.path)") }
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = try file.read(
        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
    }
    guard bytes.count == count else {
      throw SafetensorsError(
        path: file.path, reason: "tensor '\(entry.name)': the file ended; it was changed while it was read")
    }
    return bytes
  }

  /// Little-endian integers of 1 to 8 bytes; unsigned ones of 8 bytes beyond the middle come out negative.
  private static func integers(_ bytes: [UInt8], byteCount: Int, isSigned: Bool) -> [Int64] {
    let unused = 64 - 8 * byteCount
    return stride(from: 0, to: bytes.count, by: byteCount).map { start in
      let bits = bytes[start..<(start + byteCount)].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      // The sign of a narrower number fills the bits above it.
      return isSigned ? Int64(bitPattern: bits << unused) >> unused : Int64(bitPattern: bits)
    }
  }

  private static func widen(_ bytes: [UInt8], with float: (UInt16) -> Float) -> [Float] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 2).map { i in
        float(UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
      }
    }
  }

  /// The value of an IEEE 754 half, by integer arithmetic since `Float16` does not exist on every platform.
  static func float(float16Bits bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = UInt32(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0: return sign * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: UInt32(bits & 0x8000) << 16 | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: UInt32(bits & 0x8000) << 16 | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
