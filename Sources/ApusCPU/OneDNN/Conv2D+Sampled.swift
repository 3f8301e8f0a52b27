#if OneDNN
  import ApusCore
  internal import CVector

  extension CPUBackend {
    /// A pass of a convolution whose 1x1 filters step over cells: those that they read are laid out side by side in the
    /// workspace, and the pass with stride 1 over these, `dense`, does the rest.
    func sampled(
      _ pass: ConvolutionPass, _ shape: ConvolutionShape, _ dense: ConvolutionShape, _ image: Operand<CPUBuffer>,
      _ filter: Operand<CPUBuffer>, _ result: Operand<CPUBuffer>, _ invocation: Invocation<CPUBuffer>
    ) throws(BackendError) -> CPUKernel.Body {
      let cells = Operand(
        buffer: invocation.workspace!, type: TensorType(shape: [dense.n, dense.h, dense.w, dense.c], dtype: .float32))
      let gather = gather(shape, from: image.floats, to: cells.floats)
      let product = try nativeConvolution(pass, dense, cells, filter, result, invocation)
      return { () throws(BackendError) in
        gather()
        try product()
      }
    }

    /// A closure that copies the cells that 1x1 filters read to `cells` `[N, P, Q, C]`; those in the padding are 0.
    private func gather(
      _ shape: ConvolutionShape, from image: UnsafeMutablePointer<Float>, to cells: UnsafeMutablePointer<Float>
    ) -> () -> Void {
      let (window, channels) = (shape.window, shape.c)
      // Numbers of the windows that lie in the image.
      func inside(_ count: Int, _ size: Int, _ before: Int, _ stride: Int) -> Range<Int> {
        ((before + stride - 1) / stride)..<min(count, (before + size - 1) / stride + 1)
      }
      let rows = inside(shape.p, shape.h, window.top, window.strideY)
      let columns = inside(shape.q, shape.w, window.left, window.strideX)
      let first = columns.lowerBound * window.strideX - window.left
      let length = shape.q * channels
      return parallelLoop(over: shape.n * shape.p, minimum: 16384 / length + 1) { range, _ in
        for row in range {
          let (n, p) = row.quotientAndRemainder(dividingBy: shape.p)
          let line = cells + row * length
          guard rows.contains(p) else {
            line.update(repeating: 0, count: length)
            continue
          }
          let h = p * window.strideY - window.top
          line.update(repeating: 0, count: columns.lowerBound * channels)
          apus_gather_cells(
            image + ((n * shape.h + h) * shape.w + first) * channels, Int64(window.strideX * channels),
            Int64(columns.count), Int64(channels), line + columns.lowerBound * channels)
          (line + columns.upperBound * channels).update(repeating: 0, count: (shape.q - columns.upperBound) * channels)
        }
      }
    }
  }

  extension ConvolutionShape {
    /// The pass with stride 1 over the cells that 1x1 filters read, `[N, P, Q, C]`; `nil` where these step over none or
    /// the library's way is both faster and right.
    ///
    /// oneDNN lays the cells out within its kernels. The forward pass was measured to be a tenth faster our way from 64
    /// channels on and slower below, the filter gradient to be a few hundredths slower. But there oneDNN takes room for
    /// the channels that it has and writes a full register of up to 16 of them: from version 2.6 on, past the end.
    func sampled(_ pass: ConvolutionPass) -> ConvolutionShape? {
      guard r == 1, s == 1, window.strideY > 1 || window.strideX > 1 else { return nil }
      switch pass {
      case .forward: if groupC < 64 { return nil }
      case .inputGradient: return nil
      case .filterGradient: if groupC >= 16 { return nil }
      }
      var dense = self
      (dense.h, dense.w, dense.window) = (p, q, .dense)
      return dense
    }
  }
#endif
