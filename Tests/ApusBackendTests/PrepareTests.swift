import ApusCPU
import Foundation
import Testing

@testable import ApusCore

#if OpenCL
  @testable import ApusOpenCL
#endif

/// What backends answer to plans.
@Suite struct PrepareTests {
  private static func type(_ shape: Int...) -> TensorType { TensorType(shape: shape, dtype: .float32) }

  /// A convolution with padding 1 of 8 images of 16x16 cells, to which a bias and an array like the result are added.
  private static func residual(channels: Int, filters: Int, groups: Int = 1, stride: Int = 1) -> KernelRequest {
    var geometry = Conv2DAttributes()
    geometry.window = WindowGeometry(strideY: stride, strideX: stride, top: 1, bottom: 1, left: 1, right: 1)
    geometry.groups = groups
    let result = type(8, 16 / stride, 16 / stride, filters)
    return KernelRequest(
      op: .convolution(Convolution(geometry, .forward)),
      operands: [type(8, 16, 16, channels), type(3, 3, channels / groups, filters)], result: result,
      epilogue: .input(0) + .input(1) + .input(2), epilogueOperands: [type(filters), result])
  }

  private func backends() -> [any Backend] {
    var all: [any Backend] = [CPUBackend(), CPUBackend(mode: .reference)]
    #if OpenCL
      if let device = try? OpenCLDevice.select(.best), let backend = try? OpenCLBackend(device) { all.append(backend) }
    #endif
    return all
  }

  @Test func leavesAndViewsHaveNoKernel() {
    for backend in backends() {
      let x = Self.type(4, 4)
      #expect(backend.prepare(KernelRequest(op: .input, operands: [], result: x)) == nil)
      #expect(backend.prepare(KernelRequest(op: .parameter, operands: [], result: x)) == nil)
      #expect(backend.prepare(KernelRequest(op: .reshape, operands: [x], result: Self.type(16))) == nil)
      #expect(backend.prepare(KernelRequest(op: .pointwise(.input(0)), operands: [x], result: x)) != nil)
    }
  }

  /// Only a kernel that adds to what the result holds wants it to lie there.
  @Test(
    arguments: [
      (residual(channels: 3, filters: 16), "few channels", nil),
      (residual(channels: 18, filters: 18, groups: 18), "depthwise", nil),
      (residual(channels: 64, filters: 64), "winograd", 1),
      (residual(channels: 32, filters: 32, stride: 2), "oneDNN", 1),
    ] as [(KernelRequest, String, Int?)])
  func theProcessorChoosesItsWay(_ request: KernelRequest, _ name: String, _ overwritten: Int?) throws {
    let backend = CPUBackend()
    let prepared = try #require(backend.prepare(request))
    #expect(prepared.takesEpilogue)
    let isMissing = name == "oneDNN" && !backend.usesOneDNN
    #expect(prepared.schedule?.name == (isMissing ? "product" : name))
    #expect(prepared.overwrittenOperand == (isMissing ? nil : overwritten))
  }

  @Test func doublesAreForTheReference() throws {
    var request = Self.residual(channels: 3, filters: 16)
    request.operands[0].dtype = .float64
    #expect(CPUBackend().prepare(request)?.schedule?.name == "reference")
  }

  /// Facts for plans are no part of what is told of a device.
  @Test func theCacheIsNotWritten() throws {
    var device = CPUBackend(mode: .reference).device
    device.batchTileBytes = 1 << 20
    let written = try JSONEncoder().encode(device)
    let fields = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any])
    #expect(
      fields.keys.sorted() == [
        "alignment", "computeUnits", "driver", "identifier", "kind", "maximumAllocationBytes", "memoryBytes", "name",
      ])
    #expect(try JSONDecoder().decode(DeviceDescription.self, from: written).batchTileBytes == .max)
  }

  #if OpenCL
    private func openCL() throws -> OpenCLBackend {
      var device = try OpenCLDevice.select(.best)
      device.kernelClass = .cpu
      return try OpenCLBackend(device)
    }

    /// The kernels of reductions and gathers index channels by columns and by places in rows: other epilogues stay apart.
    @Test(.enabled(if: TestBackend.hasOpenCL)) func someEpiloguesStayApart() throws {
      let backend = try openCL()
      func takes(_ op: Op, _ operands: [TensorType], _ result: TensorType, times factor: TensorType) -> Bool? {
        let request = KernelRequest(
          op: op, operands: operands, result: result, epilogue: .input(0) * .input(1), epilogueOperands: [factor])
        return backend.prepare(request)?.takesEpilogue
      }
      let indices = TensorType(shape: [5], dtype: .int32)
      let (images, channels) = (Self.type(5, 8, 8, 3), Self.type(3))
      #expect(takes(.gather(.forward), [Self.type(9, 8, 8, 3), indices], images, times: channels) == false)
      #expect(takes(.gather(.forward), [Self.type(9, 8, 8, 3), indices], images, times: images) == true)
      #expect(takes(.gather(.forward), [Self.type(9, 3), indices], Self.type(5, 3), times: channels) == true)
      func sum(_ axis: Int) -> Op { .reduce(Reduction(kind: .sum, axes: [axis], keepsAxes: false)) }
      #expect(takes(sum(1), [Self.type(5, 8, 3)], Self.type(5, 3), times: channels) == true)
      #expect(takes(sum(2), [Self.type(5, 3, 8)], Self.type(5, 3), times: channels) == false)
    }

    /// What is chosen for a convolution decides whether a pooling pays; one that was made part of it stays with the
    /// kernel that can pool.
    @Test(.enabled(if: TestBackend.hasOpenCL)) func aPoolingFollowsTheSchedule() throws {
      let backend = try openCL()
      var request = Self.residual(channels: 16, filters: 32)
      (request.epilogue, request.epilogueOperands) = (nil, [])
      let choice = try #require(backend.scheduleChoice(for: request))
      let winograd = try #require(choice.schedules.first { $0.hasPrefix("winograd") })
      let direct = try #require(choice.schedules.first { $0.hasPrefix("direct") })
      var pooled = request
      pooled.pooling = Pool2DAttributes(
        kind: .max, height: 2, width: 2, window: WindowGeometry(strideY: 2, strideX: 2))
      #expect(backend.scheduleChoice(for: pooled) == nil)
      for (name, pays) in [(winograd, false), (direct, true)] {
        backend.schedules = [choice.problem: name]
        #expect(backend.prepare(request)?.schedule?.name == name)
        let prepared = try #require(backend.prepare(pooled))
        #expect(prepared.takesPooling == pays)
        #expect(prepared.schedule?.name.hasPrefix("direct") == true)
        #expect(prepared.workspaceByteCount == 0)
      }
    }
  #endif
}
