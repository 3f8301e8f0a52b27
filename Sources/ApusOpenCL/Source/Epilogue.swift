import ApusCore

/// What a kernel does to each element of its result before it stores it: the macros `EPILOGUE_PARAMS`,
/// `EPILOGUE_CHANNELS` and `EPILOGUE`.
struct Epilogue {
  /// Empty where there is no epilogue: `common.cl` then has the identity.
  private(set) var defines: Defines = [:]
  /// To be appended to the kernel's arguments.
  let arguments: [OpenCLBuffer]

  init(_ call: Invocation<OpenCLBuffer>) {
    arguments = call.epilogueInputs.map(\.buffer)
    guard let epilogue = call.epilogue else { return }

    let names = call.epilogueInputs.indices.map { "e\($0)" }
    let source = ExprSource(
      [epilogue], type: "T", input: { $0 == 0 ? "v" : names[$0 - 1] },
      random: { _, _ in preconditionFailure("an epilogue holds no random numbers") })
    let parameters = (["v"] + names).map { "T \($0)" }.joined(separator: ", ")
    defines.define(
      "EPILOGUE_FUNCTION(T)",
      """
      static inline T __attribute__((overloadable)) epilogue(\(parameters)) {
      \(source.statements)return \(source.results[0]);
      }
      """)
    defines.append("EPILOGUE_FUNCTION(float) EPILOGUE_FUNCTION(float4)")
    defines.append("EPILOGUE_FUNCTION(float8) EPILOGUE_FUNCTION(float16)")

    var channels: [String] = []
    let operands = zip(names, call.epilogueInputs).map { name, operand in
      let kind = EpilogueOperandKind(operand.type, of: call.resultType)
      if kind == .channel { channels.append("F(\(name))") }
      return switch kind {
      case .scalar: "(T)(\(name)[0])"
      case .channel: "LOAD(\(name), channel)"
      case .full: "LOAD(\(name), index)"
      }
    }
    let values = (["(T)(v)"] + operands).joined(separator: ", ")
    defines.define("EPILOGUE_PARAMS", names.map { ", __global const float *restrict \($0)" }.joined())
    defines.define("EPILOGUE_CHANNELS(F)", channels.joined(separator: " "))
    defines.define("EPILOGUE(T, LOAD, v, index, channel)", "epilogue(\(values))")
  }
}
