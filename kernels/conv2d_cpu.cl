// 2-D convolution for CPU-class devices: forward and input gradient. Follows vector_cpu.cl.
//
// y[n,p,q,k] = sum over r,s,c of f[r,s,c,k]
//                             * x[n, p*STRIDE_H - PAD_TOP + r*DILATION_H, q*STRIDE_W - PAD_LEFT + s*DILATION_W, c]
// x: [N,H,W,C], f: [R,S,C/GROUPS,K], y: [N,P,Q,K]. The padding at the bottom and right is what P and Q imply.
//
// Defines
//   CONV2D_FORWARD or CONV2D_INPUT_GRADIENT   1: which of the two entry points the program holds
//   N, H, W, C, P, Q, K, R, S, GROUPS         the shapes above
//   STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, PAD_TOP, PAD_LEFT
//   VECTOR, TILE_V, BLOCK                     lanes (1, 4, 8, 16), vectors and channels of the block of channels of a
//                                             tile, of which the last vector may overlap the one before
//   TILE_N, TILE_W                            images and columns of a tile of the result
//   ROWS                                      rows of the result per work-item
//   POOL_H, POOL_W, POOL_MAX                  the windows of y, side by side, whose maximum (1) or mean (0) is stored
//                                             instead of y; 1 x 1 stores y, and is all that the input gradient has
// Entry points. RESULT_H, RESULT_W, RESULT_C: P, Q, K (forward) or H, W, C (input gradient)
//   conv2d_forward(x, f, y EPILOGUE_PARAMS)   y: [N, P / POOL_H, Q / POOL_W, K]; the epilogue comes before the pooling
//   conv2d_input_gradient(dy, transposed f, dx EPILOGUE_PARAMS)
//     global size: { ceil(N / TILE_N) * ceil(COMPUTED_H / ROWS), B }, local size { 1, 1 }, where COMPUTED_H is RESULT_H
//     rounded down to a multiple of POOL_H and B is
//     GROUPS * ceil(RESULT_C / GROUPS / BLOCK), or ceil(RESULT_C / BLOCK) if depthwise (GROUPS == C == K > 1)
//     transposed f: [R reversed, S reversed, K/GROUPS, C], by conv2d_transpose_cpu.cl
// Limits: TILE_N <= N; TILE_W <= Q (forward) or max(1, W / STRIDE_W) (input gradient);
// VECTOR <= BLOCK <= VECTOR * TILE_V; BLOCK <= RESULT_C / GROUPS (<= RESULT_C if depthwise), except that where GROUPS
// is 1 one vector may be longer: 4, 8 or 16 lanes for 2...3, 5...7 or 9...15 channels. A tile's accumulators should
// fit the registers: TILE_N * TILE_W * TILE_V <= 26.
// ROWS and TILE_W are multiples of POOL_H and POOL_W.

#if CONV2D_FORWARD
// The source is x, the result y. Result column j reads source column j*COLUMN_STEP + TAP_SHIFT(s).
#define SOURCE_H H
#define SOURCE_W W
#define SOURCE_C C
#define RESULT_H P
#define RESULT_W Q
#define RESULT_C K
#define CLASSES 1
#define COLUMN_STEP STRIDE_W
#define TAP_EXISTS(class, s) 1
#define TAP_SHIFT(class, s) ((s) * DILATION_W - PAD_LEFT)
#define FILTER_COLUMN(s) (s)
#define LEFT_COLUMNS ((PAD_LEFT + STRIDE_W - 1) / STRIDE_W)
#define RIGHT_COLUMNS (((COMPUTED_W - 1) * STRIDE_W + (S - 1) * DILATION_W - PAD_LEFT - W + STRIDE_W) / STRIDE_W)
#define FLAT (GROUPS == 1 && DILATION_W == 1)
#else
// The source is dy, the result dx. Columns of dx fall into STRIDE_W classes (column % STRIDE_W) that each see their own
// taps; column j*STRIDE_W + class reads column j + TAP_SHIFT(class, s) of dy.
#define SOURCE_H P
#define SOURCE_W Q
#define SOURCE_C K
#define RESULT_H H
#define RESULT_W W
#define RESULT_C C
#define CLASSES STRIDE_W
#define COLUMN_STEP 1
#define TAP_EXISTS(class, s) (((class) + PAD_LEFT - (s) * DILATION_W) % STRIDE_W == 0)
#define TAP_SHIFT(class, s) (((class) + PAD_LEFT - (s) * DILATION_W) / STRIDE_W)
#define FILTER_COLUMN(s) (S - 1 - (s))
#define LEFT_COLUMNS (((S - 1) * DILATION_W - PAD_LEFT + STRIDE_W - 1) / STRIDE_W)
#define RIGHT_COLUMNS ((W + STRIDE_W - 1) / STRIDE_W - Q + (STRIDE_W - 1 + PAD_LEFT) / STRIDE_W)
#define FLAT (GROUPS == 1 && DILATION_W == 1 && STRIDE_W == 1)
#endif

#define DEPTHWISE (GROUPS > 1 && C == GROUPS && K == GROUPS)
#if DEPTHWISE
// Lanes run over the groups.
#define BLOCK_GROUPS 1
#define GROUP_SOURCE 1
#define GROUP_RESULT RESULT_C
#else
#define BLOCK_GROUPS GROUPS
#define GROUP_SOURCE (SOURCE_C / GROUPS)
#define GROUP_RESULT (RESULT_C / GROUPS)
#endif

#define PIXELS (TILE_N * TILE_W)
#define BLOCKS ((GROUP_RESULT + BLOCK - 1) / BLOCK)

// Fewer channels than lanes: the work-item pads the rows of the filter in a copy of its own.
#define NARROW (GROUP_RESULT < BLOCK)
#if NARROW
#if GROUPS > 1 || TILE_V > 1
#error "a block must not exceed the channels of a group of the result"
#endif
#define FILTER_SPACE
#define FILTER_ROW VECTOR
#else
#define FILTER_SPACE __global
#define FILTER_ROW RESULT_C
#endif

// Rows and columns of the result that are computed: those in whole windows.
#define COMPUTED_H (RESULT_H / POOL_H * POOL_H)
#define COMPUTED_W (RESULT_W / POOL_W * POOL_W)
#define ROW_BLOCKS ((COMPUTED_H + ROWS - 1) / ROWS)

// A tile is a border tile if one of its columns may have a tap outside the source. Border tiles are compiled one by one
// so that the columns that a tap reaches are constants; all the others share one loop without tests.
#define CLAMP(value, low, high) ((value) < (low) ? (low) : (value) > (high) ? (high) : (value))
#define TILES ((COMPUTED_W + CLASSES * TILE_W - 1) / (CLASSES * TILE_W))
#define LEFT_TILES CLAMP((LEFT_COLUMNS + TILE_W - 1) / TILE_W, 0, TILES)
#define RIGHT_TILES CLAMP(RIGHT_COLUMNS <= 0 ? 0 : 1 + (RIGHT_COLUMNS + TILE_W - 2) / TILE_W, 0, TILES - LEFT_TILES)

ALWAYS_INLINE void clear(vec acc[PIXELS][TILE_V]) {
#pragma unroll
  for (int m = 0; m < PIXELS; ++m) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) acc[m][v] = (vec)(0.0f);
  }
}

// acc[pixel] += source[pixel, i] * filter[i, :] over i < length, for the pixels with lo <= column < hi.
ALWAYS_INLINE void accumulate(vec acc[PIXELS][TILE_V], const __global float *source,
                              const FILTER_SPACE float *filter, const int length, const int lo,
                              const int hi) {
#if S * SOURCE_C <= 8
#pragma unroll
#endif
  for (int i = 0; i < length; ++i) {
    vec f[TILE_V];
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) f[v] = LOAD(filter, i * FILTER_ROW + FIRST_LANE(v, BLOCK));
#pragma unroll
    for (int m = 0; m < TILE_N; ++m) {
#pragma unroll
      for (int j = 0; j < TILE_W; ++j) {
        if (j < lo || j >= hi) continue;
        const int offset = (m * SOURCE_H * SOURCE_W + j * COLUMN_STEP) * SOURCE_C;
#pragma unroll
        for (int v = 0; v < TILE_V; ++v) {
#if DEPTHWISE
          const vec value = LOAD(source, offset + FIRST_LANE(v, BLOCK));
#else
          const vec value = (vec)(source[offset + i]);
#endif
          acc[m * TILE_W + j][v] = fma(value, f[v], acc[m * TILE_W + j][v]);
        }
      }
    }
  }
}

// Longer sums are those of blocks of up to 512 terms.
#define LONG (R * S * GROUP_SOURCE > 2048)

#if LONG
typedef struct {
  vec total[PIXELS][TILE_V], rest[PIXELS][TILE_V];
} long_sum;

ALWAYS_INLINE void accumulate_long(long_sum *all, const __global float *source, const FILTER_SPACE float *filter,
                                   const int length, const int lo, const int hi) {
  for (int begin = 0; begin < length; begin += 512) {
    vec acc[PIXELS][TILE_V];
    clear(acc);
    accumulate(acc, source + begin, filter + begin * FILTER_ROW, min(512, length - begin), lo, hi);
#pragma unroll
    for (int m = 0; m < PIXELS; ++m) {
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) ADD_BLOCK(vec, all->total[m][v], all->rest[m][v], acc[m][v]);
    }
  }
}
#define ACCUMULATE(...) accumulate_long(&all, __VA_ARGS__)
#else
#define ACCUMULATE(...) accumulate(acc, __VA_ARGS__)
#endif

// The rows of the source that one row of the result reads, as offsets of elements, and those of the filter. Ascending:
// most of the rows were read for the result's previous row, and the caches fetch the last one ahead.
typedef struct {
  int count, source[R], filter[R];
} row_taps;

ALWAYS_INLINE void find_taps(row_taps *taps, const int row) {
  taps->count = 0;
  for (int r = 0; r < R; ++r) {
#if CONV2D_FORWARD
    const int source_row = row * STRIDE_H - PAD_TOP + r * DILATION_H;
    if (source_row < 0 || source_row >= SOURCE_H) continue;
#else
    const int scaled_row = row + PAD_TOP - (R - 1 - r) * DILATION_H;
    if (scaled_row < 0 || scaled_row >= SOURCE_H * STRIDE_H || scaled_row % STRIDE_H != 0) continue;
    const int source_row = scaled_row / STRIDE_H;
#endif
    taps->source[taps->count] = source_row * SOURCE_W * SOURCE_C;
    taps->filter[taps->count++] = r * S * GROUP_SOURCE * FILTER_ROW;
  }
}

// The sum over all taps for the tile that begins at column `first` of a class.
ALWAYS_INLINE void gather(vec acc[PIXELS][TILE_V], const __global float *source,
                          const FILTER_SPACE float *filter, const row_taps *taps, const int class,
                          const int first, const bool border) {
#if LONG
  long_sum all;
  clear(all.total);
  clear(all.rest);
#else
  clear(acc);
#endif
  for (int t = 0; t < taps->count; ++t) {
    const __global float *source_line = source + taps->source[t] + first * (COLUMN_STEP * SOURCE_C);
    const FILTER_SPACE float *filter_line = filter + taps->filter[t];
    if (FLAT && !border) {
      ACCUMULATE(source_line + TAP_SHIFT(0, FILTER_COLUMN(0)) * SOURCE_C, filter_line, S * SOURCE_C, 0, TILE_W);
      continue;
    }
#pragma unroll
    for (int s = 0; s < S; ++s) {
      if (!TAP_EXISTS(class, s)) continue;
      const int shift = TAP_SHIFT(class, s);
      const int before = -(first * COLUMN_STEP + shift), after = SOURCE_W - 1 + before;
      const int lo = !border || before <= 0 ? 0 : (before + COLUMN_STEP - 1) / COLUMN_STEP;
      const int hi = !border ? TILE_W : after < 0 ? 0 : after / COLUMN_STEP + 1;
      const FILTER_SPACE float *filter_tap = filter_line + FILTER_COLUMN(s) * GROUP_SOURCE * FILTER_ROW;
      ACCUMULATE(source_line + shift * SOURCE_C, filter_tap, GROUP_SOURCE, lo, hi);
    }
  }
#if LONG
#pragma unroll
  for (int m = 0; m < PIXELS; ++m) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) acc[m][v] = BLOCK_SUM(all.total[m][v], all.rest[m][v]);
  }
#endif
}

// What a window makes of two of its values. A NaN stays.
ALWAYS_INLINE vec pooled(const vec a, const vec b) {
#if POOL_MAX
  return select(a, b, (b > a) | (b != b));
#else
  return a + b;
#endif
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#if CONV2D_FORWARD
void conv2d_forward(
#else
void conv2d_input_gradient(
#endif
    const __global float *restrict source, const __global float *restrict filter,
    __global float *restrict result EPILOGUE_PARAMS) {
  // Where a tile would pass the end of its dimension it moves back instead, and does not store what its neighbour does.
  const int tile_image = (int)get_global_id(0) / ROW_BLOCKS * TILE_N;
  const int image = min(tile_image, N - TILE_N);
  const int first_row = (int)get_global_id(0) % ROW_BLOCKS * ROWS;
  const int group = (int)get_global_id(1) / BLOCKS;
  const int block_channel = (int)get_global_id(1) % BLOCKS * BLOCK;
  const int group_channel = min(block_channel, max(GROUP_RESULT - BLOCK, 0));
  const int channel = group * GROUP_RESULT + group_channel;
  const __global float *tile_source =
    source + (INDEX)image * (SOURCE_H * SOURCE_W * SOURCE_C) + (DEPTHWISE ? channel : group * GROUP_SOURCE);
#if NARROW
  float tile_filter[R * S * GROUP_SOURCE * VECTOR];
  for (int i = 0; i < R * S * GROUP_SOURCE; ++i) {
    for (int c = 0; c < VECTOR; ++c) tile_filter[i * VECTOR + c] = c < RESULT_C ? filter[i * RESULT_C + c] : 0.0f;
  }
#else
  const __global float *tile_filter = filter + channel;
#endif

#if POOL_H > 1
  // Of the windows that `row` is in, what the rows before it hold.
  vec bands[TILE_N][COMPUTED_W / POOL_W][TILE_V];
#endif
  for (int row = first_row; row < min(first_row + ROWS, COMPUTED_H); ++row) {
    row_taps taps;
    find_taps(&taps, row);
    for (int class = 0; class < CLASSES; ++class) {
      const int columns = (COMPUTED_W - class + CLASSES - 1) / CLASSES;
      const int tiles = (columns + TILE_W - 1) / TILE_W;
      for (int tile = 0; tile < tiles; ++tile) {
        const int first = min(tile * TILE_W, columns - TILE_W);
        vec acc[PIXELS][TILE_V];
#if LEFT_TILES + RIGHT_TILES < TILES
        if (tile >= LEFT_TILES && tile < tiles - RIGHT_TILES)
          gather(acc, tile_source, tile_filter, &taps, class, first, false);
#endif
#pragma unroll
        for (int c = 0; c < CLASSES; ++c) {
          const int class_columns = (COMPUTED_W - c + CLASSES - 1) / CLASSES;
          const int class_tiles = (class_columns + TILE_W - 1) / TILE_W;
#pragma unroll
          for (int b = 0; b < LEFT_TILES + RIGHT_TILES; ++b) {
            const int border_tile = b < LEFT_TILES ? b : class_tiles - 1 - (b - LEFT_TILES);
            if (class == c && tile == border_tile)
              gather(acc, tile_source, tile_filter, &taps, c, min(border_tile * TILE_W, class_columns - TILE_W), true);
          }
        }
#pragma unroll
        for (int m = 0; m < TILE_N; ++m) {
          if (image + m < tile_image) continue;
#pragma unroll
          for (int j = 0; j < TILE_W; j += POOL_W) {
            if (first + j < tile * TILE_W) continue;
            const int column = (first + j) * CLASSES + class;
            const INDEX pixel = ((INDEX)(image + m) * RESULT_H + row) * RESULT_W + column;
            const INDEX stored_pixel =
              ((INDEX)(image + m) * (RESULT_H / POOL_H) + row / POOL_H) * (RESULT_W / POOL_W) + column / POOL_W;
#pragma unroll
            for (int v = 0; v < TILE_V; ++v) {
              const int lane = channel + FIRST_LANE(v, BLOCK);
              vec window;
#pragma unroll
              for (int i = 0; i < POOL_W; ++i) {
                const INDEX index = (pixel + i) * RESULT_C + lane;
                vec value = acc[m * TILE_W + j + i][v];
#if NARROW
                float *lanes = (float *)&value;
                for (int c = 0; c < RESULT_C; ++c) lanes[c] = EPILOGUE(float, LOAD1, lanes[c], index + c, lane + c);
#else
                value = EPILOGUE(vec, LOAD, value, index, lane);
#endif
                window = i == 0 ? value : pooled(window, value);
              }
#if POOL_H > 1
              vec *band = &bands[m][column / POOL_W][v];
              if (row % POOL_H > 0) window = pooled(*band, window);
              if (row % POOL_H < POOL_H - 1) {
                *band = window;
                continue;
              }
#endif
#if POOL_H * POOL_W > 1 && !POOL_MAX
              window *= 1.0f / (POOL_H * POOL_W);
#endif
              __global float *stored = result + stored_pixel * RESULT_C + lane;
#if NARROW
              const float *lanes = (const float *)&window;
              for (int c = 0; c < RESULT_C; ++c) stored[c] = lanes[c];
#elif GROUP_RESULT % BLOCK == 0
              STORE(window, stored);
#else
              store_lanes(window, block_channel - group_channel - FIRST_LANE(v, BLOCK), stored);
#endif
            }
          }
        }
      }
    }
  }
}
