// Filter gradient of a 2-D convolution for CPU-class devices. Follows vector_cpu.cl.
//
// df[r,s,c,k] = sum over n,p,q of dy[n,p,q,k]
//                               * x[n, p*STRIDE_H - PAD_TOP + r*DILATION_H, q*STRIDE_W - PAD_LEFT + s*DILATION_W, c]
// Shapes and geometry as in conv2d_cpu.cl. The rows of the batch are cut into SPLITS parts whose sums go to a workspace
// and are then added in order. Lanes run over output channels, which x's values are multiplied by; or over input
// channels, with values of dy, where those fill the vectors better.
//
// Defines
//   N, H, W, C, P, Q, K, R, S, GROUPS, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, PAD_TOP, PAD_LEFT
//   LANES_C                  1: lanes run over input channels (GROUPS == 1)
//   VECTOR, TILE_V, BLOCK    lanes (1, 4, 8, 16), vectors and channels of the block of channels of a tile, of which the
//                            last vector may overlap the one before
//   TILE_R, TILE_S, TILE_C   rows, columns and channels of the other kind of the filter in a tile. Either 1, 1, any
//                            number up to C/GROUPS (to K with LANES_C), or 1 or R, S, C: the choice for a few input
//                            channels (GROUPS == 1 without LANES_C) and for depthwise filters
//   CHUNK                    rows of dy summed in registers before the sum in memory is updated
//   SPLITS                   parts, at most N * P
// Entry points
//   conv2d_filter_gradient(x, dy, partial)
//     partial: workspace of SPLITS * F floats, F = R*S*(C/GROUPS)*K, or df itself where SPLITS is 1 without LANES_C
//     global size: { B * (R / TILE_R) * (S / TILE_S), SPLITS }, local size { 1, 1 }, where B is
//     GROUPS * ceil(K / GROUPS / BLOCK), or ceil(K / BLOCK) if depthwise (GROUPS == C == K > 1), or ceil(C / BLOCK)
//     with LANES_C
//   conv2d_filter_gradient_sum(partial, df)   with LANES_C: transposes, too; else sum_parts.cl
//     serves if SPLITS > 1
//     global size: { R*S*K }, local size { 1 }
// Limits: VECTOR <= BLOCK <= VECTOR * TILE_V; BLOCK <= K / GROUPS (<= K if depthwise, <= C with LANES_C); TILE_C is 1
// if depthwise. A tile's accumulators should fit the registers: TILE_R * TILE_S * TILE_C * TILE_V <= 26.

#define DEPTHWISE (GROUPS > 1 && C == GROUPS && K == GROUPS)
#if DEPTHWISE
// Lanes run over the groups.
#define GROUP_C 1
#define GROUP_K K
#else
#define GROUP_C (C / GROUPS)
#define GROUP_K (K / GROUPS)
#endif

// Channels along the lanes and along the rows of a tile. The sums are [R,S,rows,lanes].
#if LANES_C
#define LANES C
#define LANE_CHANNELS C
#define ROW_CHANNELS K
#else
#define LANES K
#define LANE_CHANNELS GROUP_K
#define ROW_CHANNELS GROUP_C
#endif

#define BLOCKS ((LANE_CHANNELS + BLOCK - 1) / BLOCK)
#define TILE (TILE_R * TILE_S * TILE_C)
#define FILTER_SIZE (R * S * (C / GROUPS) * K)

// A tile of several taps cannot skip padding as a whole. Where there is any, a depthwise tile asks for each tap of the
// pixels at the borders, and others copy a chunk of x with the padding filled in.
#define REACH_H ((P - 1) * STRIDE_H + (R - 1) * DILATION_H + 1)
#define REACH_W ((Q - 1) * STRIDE_W + (S - 1) * DILATION_W + 1)
#define PADDED (PAD_TOP > 0 || PAD_LEFT > 0 || REACH_H - PAD_TOP > H || REACH_W - PAD_LEFT > W)
#define CHECKED (TILE_R * TILE_S > 1 && PADDED && DEPTHWISE)
#define COPIED (TILE_R * TILE_S > 1 && PADDED && !DEPTHWISE)
#if COPIED
#define SPACE
#define LINE (REACH_W * C)
#define LINES ((CHUNK - 1) * STRIDE_H + (TILE_R - 1) * DILATION_H + 1)
#else
#define SPACE __global
#define LINE (W * C)
#endif

// acc[tile element] += x[pixel, tile element] * dy[pixel, :] over one row of `count` > 0 pixels.
ALWAYS_INLINE void accumulate_row(vec acc[TILE][TILE_V], const SPACE float *x,
                                  const __global float *dy, const int count) {
  int q = 0;
  do {
    vec lanes[TILE_V];
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) {
#if LANES_C
      lanes[v] = LOAD(x, FIRST_LANE(v, BLOCK));
#else
      lanes[v] = LOAD(dy, FIRST_LANE(v, BLOCK));
#endif
    }
#pragma unroll
    for (int i = 0; i < TILE; ++i) {
      const int r = i / (TILE_S * TILE_C), s = i / TILE_C % TILE_S, c = i % TILE_C;
      const int offset = r * DILATION_H * LINE + s * DILATION_W * C + c;
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) {
#if DEPTHWISE
        const vec value = LOAD(x, offset + FIRST_LANE(v, BLOCK));
#else
        const vec value = (vec)(LANES_C ? dy[c] : x[offset]);
#endif
        acc[i][v] = fma(value, lanes[v], acc[i][v]);
      }
    }
    x += STRIDE_W * C;
    dy += K;
  } while (++q < count);
}

#if CHECKED
// Columns of the result all of whose taps lie inside x.
#define INNER_BEGIN min(Q, (PAD_LEFT + STRIDE_W - 1) / STRIDE_W)
#define INNER_COUNT (W + PAD_LEFT - (S - 1) * DILATION_W + STRIDE_W - 1)
#define INNER_END max(INNER_BEGIN, min(Q, INNER_COUNT < 0 ? 0 : INNER_COUNT / STRIDE_W))

// As accumulate_row for columns begin ..< end, without the taps outside of x; x and dy are those of column 0 and h the
// row of the first tap.
ALWAYS_INLINE void accumulate_checked(vec acc[TILE][TILE_V], const __global float *x, const __global float *dy,
                                      const int h, const int begin, const int end) {
  for (int q = begin; q < end; ++q) {
    const int w = q * STRIDE_W - PAD_LEFT;
#pragma unroll
    for (int i = 0; i < TILE; ++i) {
      const int r = i / TILE_S * DILATION_H, s = i % TILE_S * DILATION_W;
      if (h + r < 0 || h + r >= H || w + s < 0 || w + s >= W) continue;
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) {
        const vec value = LOAD(x, r * LINE + (q * STRIDE_W + s) * C + FIRST_LANE(v, BLOCK));
        acc[i][v] = fma(value, LOAD(dy, q * K + FIRST_LANE(v, BLOCK)), acc[i][v]);
      }
    }
  }
}
#endif

// First index for which index * step + offset >= 0, and the end of those for which it is < size; within 0 ..< count.
ALWAYS_INLINE int range_begin(const int step, const int offset, const int count) {
  return offset >= 0 ? 0 : min(count, (-offset + step - 1) / step);
}
ALWAYS_INLINE int range_end(const int step, const int offset, const int size, const int count) {
  return offset >= size ? 0 : min(count, (size - 1 - offset) / step + 1);
}

// The lanes before `skip` are another work-item's: they are not read. In pieces, as store_lanes.
ALWAYS_INLINE vec load_lanes(const int skip, const __global float *pointer) {
  if (skip <= 0) return LOAD(pointer, 0);
  vec value = (vec)(0.0f);
  float *lanes = (float *)&value;
  const int count = VECTOR - skip;
  int lane = skip;
  if (count <= 0) return value;
  if (count & 1) {
    lanes[lane] = pointer[lane];
    lane += 1;
  }
  if (count & 2) {
    vstore2(vload2(0, pointer + lane), 0, lanes + lane);
    lane += 2;
  }
  if (count & 4) {
    vstore4(vload4(0, pointer + lane), 0, lanes + lane);
    lane += 4;
  }
  if (count & 8) vstore8(vload8(0, pointer + lane), 0, lanes + lane);
  return value;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_filter_gradient(const __global float *restrict x, const __global float *restrict dy,
                            __global float *restrict partial) {
  const int block = (int)get_global_id(0) % (DEPTHWISE ? BLOCKS : GROUPS * BLOCKS);
  const int tap = (int)get_global_id(0) / (DEPTHWISE ? BLOCKS : GROUPS * BLOCKS);
  const int tile_r = tap / (S / TILE_S) * TILE_R, tile_s = tap % (S / TILE_S) * TILE_S;
  const int split = get_global_id(1);
  const int group = block / BLOCKS;
  const int block_channel = block % BLOCKS * BLOCK;
  const int group_channel = min(block_channel, LANE_CHANNELS - BLOCK);
  const int skip_lanes = block_channel - group_channel;
  const int channel = group * GROUP_K + group_channel;

  // The pixels of dy whose tap lies inside x; all of them if there is no padding or the copy of x contains it.
  const int top = tile_r * DILATION_H - PAD_TOP, left = tile_s * DILATION_W - PAD_LEFT;
#if TILE_R * TILE_S > 1
  const int p_begin = 0, p_end = P, q_begin = 0, q_end = Q;
#else
  const int p_begin = range_begin(STRIDE_H, top, P), p_end = range_end(STRIDE_H, top, H, P);
  const int q_begin = range_begin(STRIDE_W, left, Q), q_end = range_end(STRIDE_W, left, W, Q);
#endif
  const int rows = max(p_end - p_begin, 0), total = q_end > q_begin ? N * rows : 0;
  const int begin = (long)total * split / SPLITS, end = (long)total * (split + 1) / SPLITS;
  const __global float *block_dy = dy + q_begin * K + (LANES_C ? 0 : channel);

  int first = begin;
  do {
    int last = min(first + CHUNK, end);
#if COPIED
    last = min(last, (first / P + 1) * P);
    float copy[LINES * LINE];
    for (int line = 0; line < (last - first - 1) * STRIDE_H + (TILE_R - 1) * DILATION_H + 1; ++line) {
      const int h = first % P * STRIDE_H + top + line;
      const bool inside = h >= 0 && h < H;
      const __global float *source = x + ((INDEX)(first / P) * H + h) * (W * C) - PAD_LEFT * C;
      const int copy_begin = inside ? PAD_LEFT * C : LINE, copy_end = inside ? min(LINE, (PAD_LEFT + W) * C) : LINE;
      for (int i = 0; i < copy_begin; ++i) copy[line * LINE + i] = 0.0f;
      for (int i = copy_begin; i < copy_end; ++i) copy[line * LINE + i] = source[i];
      for (int i = copy_end; i < LINE; ++i) copy[line * LINE + i] = 0.0f;
    }
#endif
    for (int c_block = 0; c_block < ROW_CHANNELS; c_block += TILE_C) {
      const int c = min(c_block, ROW_CHANNELS - TILE_C);
      __global float *sums =
        partial + (INDEX)split * FILTER_SIZE + ((tile_r * S + tile_s) * ROW_CHANNELS + c) * LANES + channel;
      vec acc[TILE][TILE_V];
#pragma unroll
      for (int i = 0; i < TILE; ++i) {
#pragma unroll
        for (int v = 0; v < TILE_V; ++v) acc[i][v] = (vec)(0.0f);
      }
      int n = first / max(rows, 1), p = p_begin + first % max(rows, 1);
      for (int row = first; row < last; ++row) {
#if COPIED
        const float *row_x = copy + (row - first) * STRIDE_H * LINE + tile_s * DILATION_W * C;
#else
        const __global float *row_x =
          x + (((INDEX)n * H + p * STRIDE_H + top) * W + q_begin * STRIDE_W + left) * C +
          (DEPTHWISE || LANES_C ? channel : group * GROUP_C + c);
#endif
        const __global float *row_dy = block_dy + ((INDEX)n * P + p) * (Q * K) + (LANES_C ? c : 0);
#if CHECKED
        const int h = p * STRIDE_H + top;
        const bool inside = h >= 0 && h + (TILE_R - 1) * DILATION_H < H;
        for (int side = inside ? 0 : 1; side < 2; ++side)
          accumulate_checked(acc, row_x, row_dy, h, !inside || side == 0 ? 0 : INNER_END, side == 0 ? INNER_BEGIN : Q);
        if (inside && INNER_BEGIN < INNER_END)
          accumulate_row(acc, row_x + INNER_BEGIN * STRIDE_W * C, row_dy + INNER_BEGIN * K, INNER_END - INNER_BEGIN);
#else
        accumulate_row(acc, row_x, row_dy, q_end - q_begin);
#endif
        if (++p == p_end) {
          p = p_begin;
          ++n;
        }
      }
      // From memory, in loops: unrolled, the stores compile for longer than all else.
      vec values[TILE][TILE_V];
#pragma unroll
      for (int i = 0; i < TILE; ++i) {
#pragma unroll
        for (int v = 0; v < TILE_V; ++v) values[i][v] = acc[i][v];
      }
#pragma unroll 1
      for (int i = 0; i < TILE; ++i) {
        if (c + i % TILE_C < c_block) continue;
        const int row = (i / (TILE_S * TILE_C) * S + i / TILE_C % TILE_S) * ROW_CHANNELS + i % TILE_C;
        // All vectors are loaded before one is stored: they may overlap.
        if (first > begin) {
#pragma unroll 1
          for (int v = 0; v < TILE_V; ++v) {
            const int lane = FIRST_LANE(v, BLOCK);
#if LANE_CHANNELS % BLOCK == 0
            values[i][v] += LOAD(sums, row * LANES + lane);
#else
            values[i][v] += load_lanes(skip_lanes - lane, sums + row * LANES + lane);
#endif
          }
        }
#pragma unroll 1
        for (int v = 0; v < TILE_V; ++v) {
          const int lane = FIRST_LANE(v, BLOCK);
#if LANE_CHANNELS % BLOCK == 0
          STORE(values[i][v], sums + row * LANES + lane);
#else
          store_lanes(values[i][v], skip_lanes - lane, sums + row * LANES + lane);
#endif
        }
      }
    }
    first = last;
  } while (first < end);
}

#if LANES_C
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_filter_gradient_sum(const __global float *restrict partial, __global float *restrict df) {
  const int row = get_global_id(0);
  const __global float *from = partial + row * C;
  __global float *to = df + row / K * (C * K) + row % K;
  int c = 0;
  for (; c + 16 <= C; c += 16) {
    float16 acc = LOAD16(from, c);
    for (int split = 1; split < SPLITS; ++split) acc += LOAD16(from, (INDEX)split * FILTER_SIZE + c);
    const float *lanes = (const float *)&acc;
    for (int lane = 0; lane < 16; ++lane) to[(c + lane) * K] = lanes[lane];
  }
  for (; c < C; ++c) {
    float acc = from[c];
    for (int split = 1; split < SPLITS; ++split) acc += from[(INDEX)split * FILTER_SIZE + c];
    to[c * K] = acc;
  }
}
#endif
