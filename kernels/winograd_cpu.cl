// Winograd convolution F(4x4, 3x3) for CPU-class devices: forward and input gradient of 3x3 filters with stride 1,
// dilation 1 and one group. Follows winograd_transform_cpu.cl. Shapes and geometry as in conv2d_cpu.cl.
//
// A work-item transforms CHUNK tiles of the source, multiplies them by the transformed filter, a matrix product
// [CHUNK, source channels] x [source channels, result channels] for each of the 36 points, and transforms the products
// to tiles of the result. Its buffers are private memory, small enough for a core's second cache.
//
// The input gradient is a convolution of dy with the filter turned around, or (TRANSPOSED) the transpose of the forward
// pass: each 4x4 tile of dy gives to the 6x6 cells of dx under it,
//   dx += B [(G g G') * (A dy A')] B'
// Without padding dx has more tiles than dy. A work-item then has all tiles of some images, because they overlap.
//
// Defines
//   CONV2D_FORWARD or CONV2D_INPUT_GRADIENT   1: which of the two entry points the program holds
//   N, H, W, C, P, Q, K, PAD_TOP, PAD_LEFT    the shapes
//   TRANSPOSED       1: tiles are those of dy; for the input gradient only
//   TILE_M, TILE_V   tiles, and vectors of 16 result channels, of a block of products in registers
//   CHUNK            tiles of a work-item, a multiple of TILE_M
//   IMAGES           TRANSPOSED: images of a work-item, of at most CHUNK tiles
//   PANEL_C          result channels of a panel of TILE_V vectors, of which the last may overlap the one before
//   BLOCK_PANELS     panels of a work-item
//   BLOCK_C          source channels transformed at a time
//   FUSED_FILTER     1: work-items transform the filter they need; 0: winograd_transform_filter does before them
// Entry points. SOURCE_C, RESULT_C: C, K (forward) or K, C (input gradient); PANELS: ceil(RESULT_C / PANEL_C)
//   winograd_forward(x, filter, y EPILOGUE_PARAMS)
//   winograd_input_gradient(dy, filter, dx EPILOGUE_PARAMS)
//     global size: { ceil(TILES / CHUNK), ceil(PANELS / BLOCK_PANELS) }, local size { 1, 1 }, where TILES is
//     N * ceil(rows / 4) * ceil(columns / 4) of the result; { ceil(N / IMAGES), ceil(PANELS / BLOCK_PANELS) } if
//     TRANSPOSED
//   winograd_transform_filter(f, transformed f)   where FUSED_FILTER is 0; the filter of the others is its result
//     transformed f: workspace of 36 * (PANELS * SOURCE_C * 16 * TILE_V + 16) floats
//     global size: { ceil(SOURCE_C / 16), PANELS }, local size { 1, 1 }
// Limits: R = S = 3, strides, dilations and GROUPS 1; VECTOR 16; 16 <= PANEL_C <= 16 * TILE_V; PANEL_C <= RESULT_C, or
// TILE_V 1 and PANEL_C 16 where RESULT_C is less; BLOCK_C <= SOURCE_C, and 16 or more where SOURCE_C is;
// TILE_M * TILE_V <= 26.

#if CONV2D_FORWARD
#define SOURCE_H H
#define SOURCE_W W
#define SOURCE_C C
#define RESULT_H P
#define RESULT_W Q
#define RESULT_C K
#define TOP PAD_TOP
#define LEFT PAD_LEFT
#else
// A convolution of dy with the filter turned around.
#define SOURCE_H P
#define SOURCE_W Q
#define SOURCE_C K
#define RESULT_H H
#define RESULT_W W
#define RESULT_C C
#define TOP (2 - PAD_TOP)
#define LEFT (2 - PAD_LEFT)
#endif

#if TRANSPOSED
#define TILES_H ((SOURCE_H + 3) / 4)
#define TILES_W ((SOURCE_W + 3) / 4)
#define TILES_OF_ITEM (IMAGES * TILES_H * TILES_W)
#else
#define TILES_H ((RESULT_H + 3) / 4)
#define TILES_W ((RESULT_W + 3) / 4)
#define TILES_OF_ITEM CHUNK
#endif
#define TILES (N * TILES_H * TILES_W)

#define PANEL (16 * TILE_V)
#define PANELS ((RESULT_C + PANEL_C - 1) / PANEL_C)
// The panel that would pass the last channel moves back. `lane` is the first one of a vector.
#define PANEL_CHANNEL(panel, lane) \
  (max(min((panel) * PANEL_C, RESULT_C - PANEL_C), 0) + FIRST_LANE((lane) / 16, PANEL_C))

// Matrices of the points: source [CHUNK, BLOCK_C], filter [panels, source channels, PANEL] and products [CHUNK, block
// of result channels]. Rows or matrices a power of two apart would compete for the same cache lines.
#define SOURCE_ROW ((BLOCK_C + 15) / 16 * 16 + 16)
#define SOURCE_MATRIX (CHUNK * SOURCE_ROW)
#define CELL (BLOCK_PANELS * PANEL)
#define PRODUCT_ROW (CELL + 16)
#define PRODUCT_MATRIX (CHUNK * PRODUCT_ROW)
#if FUSED_FILTER
#define FILTER_SPACE
#define FILTER_C BLOCK_C
#define FILTER_MATRIX (BLOCK_PANELS * FILTER_C * PANEL + 16)
#else
#define FILTER_SPACE __global
#define FILTER_C SOURCE_C
#define FILTER_MATRIX (PANELS * FILTER_C * PANEL + 16)
#endif

// G g
ALWAYS_INLINE void transform_filter(float16 u[6], const float16 g[3]) {
  const float16 even_1 = fma((float16)(-1.0f / 3.0f), g[2], g[0] * (-2.0f / 3.0f));
  const float16 even_2 = fma((float16)(1.0f / 3.0f), g[2], g[0] * (1.0f / 6.0f));
  const float16 odd_1 = g[1] * (-2.0f / 3.0f * SQRT_HALF), odd_2 = g[1] * (1.0f / 6.0f * SQRT_2);
  u[0] = g[0];
  u[1] = even_1 + odd_1;
  u[2] = even_1 - odd_1;
  u[3] = even_2 + odd_2;
  u[4] = even_2 - odd_2;
  u[5] = g[2];
}

// A' m
ALWAYS_INLINE void transform_product(float16 y[4], const float16 m[6]) {
  const float16 even_1 = m[1] + m[2], odd_1 = m[1] - m[2];
  const float16 even_2 = m[3] + m[4], odd_2 = m[3] - m[4];
  y[0] = m[0] + even_1 + even_2;
  y[1] = fma((float16)(SQRT_2), odd_2, odd_1 * SQRT_HALF);
  y[2] = fma((float16)(2.0f), even_2, even_1 * 0.5f);
  y[3] = fma((float16)(2.0f * SQRT_2), odd_2, fma((float16)(0.5f * SQRT_HALF), odd_1, m[5]));
}

// Up to 16 source channels from c on of the filter for as many result channels from k on, to the 36 matrices.
ALWAYS_INLINE void load_filter(FILTER_SPACE float *matrices, const __global float *filter, const int c, const int k) {
  float16 taps[9][16];
  // Unrolled, these loops compile for half a second and run no faster.
#pragma unroll 1
  for (int tap = 0; tap < 9; ++tap) {
#if CONV2D_FORWARD
#pragma unroll 1
    for (int i = 0; i < min(16, C); ++i) taps[tap][i] = load_channels(filter + (tap * C + c + i) * K + k, K);
#else
#pragma unroll 1
    for (int i = 0; i < min(16, C); ++i)
      taps[tap][i] = load_channels(filter + ((TRANSPOSED ? tap : 8 - tap) * C + k + i) * K + c, K);
#pragma unroll 1
    for (int i = C; i < 16; ++i) taps[tap][i] = (float16)(0.0f);
    transpose16(taps[tap]);
#endif
  }
#pragma unroll 1
  for (int i = 0; i < min(16, SOURCE_C); ++i) {
    float16 rows[6][3];
#pragma unroll 1
    for (int x = 0; x < 3; ++x) {
      const float16 g[3] = {taps[x][i], taps[3 + x][i], taps[6 + x][i]};
      float16 u[6];
      transform_filter(u, g);
#pragma unroll
      for (int y = 0; y < 6; ++y) rows[y][x] = u[y];
    }
#pragma unroll 1
    for (int y = 0; y < 6; ++y) {
      float16 u[6];
      transform_filter(u, rows[y]);
#pragma unroll
      for (int x = 0; x < 6; ++x) vstore16(u[x], 0, matrices + (y * 6 + x) * FILTER_MATRIX + i * PANEL);
    }
  }
}

#if TRANSPOSED
// B m
ALWAYS_INLINE void transform_back(float16 d[6], const float16 m[6]) {
  const float16 even_1 = m[1] + m[2], odd_1 = m[1] - m[2];
  const float16 even_2 = m[3] + m[4], odd_2 = m[3] - m[4];
  d[0] = m[0];
  d[1] = fma((float16)(-SQRT_2), odd_1, fma((float16)(-SQRT_HALF), odd_2, m[5]));
  d[2] = fma((float16)(-2.5f), m[0], fma((float16)(-2.0f), even_1, even_2 * -0.5f));
  d[3] = fma((float16)(-2.5f), m[5], fma((float16)(SQRT_HALF), odd_1, odd_2 * SQRT_2));
  d[4] = m[0] + even_1 + even_2;
  d[5] = m[5];
}

// Adds 16 channels of a tile's 6x6 cells from a row of the 36 matrices of products to the cells [H, W, CELL] of an
// image; h and w are those of the first, which may lie outside.
ALWAYS_INLINE void add_products(float *cells, const float *matrices, const int h, const int w) {
  float16 rows[6][6];
#pragma unroll 1
  for (int x = 0; x < 6; ++x) {
    float16 m[6], d[6];
#pragma unroll
    for (int i = 0; i < 6; ++i) m[i] = *(const float16 *)(matrices + (i * 6 + x) * PRODUCT_MATRIX);
    transform_back(d, m);
#pragma unroll
    for (int i = 0; i < 6; ++i) rows[i][x] = d[i];
  }
#pragma unroll 1
  for (int y = 0; y < 6; ++y) {
    float16 d[6];
    transform_back(d, rows[y]);
    if (h + y < 0 || h + y >= H) continue;
#pragma unroll
    for (int x = 0; x < 6; ++x)
      if (w + x >= 0 && w + x < W) *(float16 *)(cells + ((h + y) * W + w + x) * CELL) += d[x];
  }
}
#else
// 16 channels of a tile of the result from a row of the 36 matrices of products.
ALWAYS_INLINE void transform_products(float16 result[4][4], const float *matrices) {
  float16 rows[4][6];
#pragma unroll 1
  for (int x = 0; x < 6; ++x) {
    float16 m[6], y[4];
#pragma unroll
    for (int i = 0; i < 6; ++i) m[i] = *(const float16 *)(matrices + (i * 6 + x) * PRODUCT_MATRIX);
    transform_product(y, m);
#pragma unroll
    for (int i = 0; i < 4; ++i) rows[i][x] = y[i];
  }
#pragma unroll 1
  for (int y = 0; y < 4; ++y) transform_product(result[y], rows[y]);
}
#endif

// Applies the epilogue to 16 channels of a pixel and stores them.
#if RESULT_C < 16
#define STORE_PIXEL(value, panel, channel, index) \
  for (int i = 0; i < RESULT_C; ++i) \
    result[(index) + i] = EPILOGUE(float, LOAD1, ((const float *)&(value))[i], (index) + i, i)
#elif RESULT_C % PANEL_C == 0
#define STORE_PIXEL(value, panel, channel, index) \
  STORE(EPILOGUE(float16, LOAD16, value, index, channel), result + (index))
#else
// A panel that moved back leaves the channels that its neighbour stores.
#define STORE_PIXEL(value, panel, channel, index) \
  store_lanes(EPILOGUE(float16, LOAD16, value, index, channel), (panel) * PANEL_C - (channel), result + (index))
#endif

// products[tile, :] += source[tile, c] * filter[c, :] for a block of TILE_M tiles, over first_c <= c < BLOCK_C; `=` if
// these are the first channels.
ALWAYS_INLINE void multiply(float *products, const float *source, const FILTER_SPACE float *filter, const int first_c,
                            const bool is_first) {
  float16 acc[TILE_M][TILE_V];
#pragma unroll
  for (int t = 0; t < TILE_M; ++t) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v)
      acc[t][v] = is_first ? (float16)(0.0f) : *(float16 *)(products + t * PRODUCT_ROW + v * 16);
  }
  for (int c = first_c; c < BLOCK_C; ++c) {
    float16 row[TILE_V];
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) row[v] = *(const FILTER_SPACE float16 *)(filter + c * PANEL + v * 16);
#pragma unroll
    for (int t = 0; t < TILE_M; ++t) {
      const float16 value = (float16)(source[t * SOURCE_ROW + c]);
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) acc[t][v] = fma(value, row[v], acc[t][v]);
    }
  }
#pragma unroll
  for (int t = 0; t < TILE_M; ++t) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) *(float16 *)(products + t * PRODUCT_ROW + v * 16) = acc[t][v];
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#if CONV2D_FORWARD
void winograd_forward(
#else
void winograd_input_gradient(
#endif
    const __global float *restrict source, const __global float *restrict filter,
    __global float *restrict result EPILOGUE_PARAMS) {
  // Arrays of vectors, for their alignment.
  float16 source_vectors[POINTS * SOURCE_MATRIX / 16], product_vectors[POINTS * PRODUCT_MATRIX / 16];
  float *source_matrices = (float *)source_vectors, *product_matrices = (float *)product_vectors;
#if FUSED_FILTER
  float16 filter_vectors[POINTS * FILTER_MATRIX / 16];
  float *filter_matrices = (float *)filter_vectors;
#else
  const __global float *filter_matrices = filter;
#endif
  const int first_tile = (int)get_global_id(0) * TILES_OF_ITEM, tiles = min(TILES_OF_ITEM, TILES - first_tile);
  const int first_panel = (int)get_global_id(1) * BLOCK_PANELS, last_panel = min(first_panel + BLOCK_PANELS, PANELS);

  for (int block_c = 0; block_c < SOURCE_C; block_c += BLOCK_C) {
    // The block that would pass the last channel moves back and multiplies only what is new.
    const int c = min(block_c, SOURCE_C - BLOCK_C);
    for (int t = 0; t < tiles; ++t) {
      const tile_position tile = find_tile(first_tile + t, TILES_H, TILES_W);
#if TRANSPOSED
      load_gradient(source_matrices + t * SOURCE_ROW, SOURCE_MATRIX,
                    source + (((INDEX)tile.image * P + tile.row) * Q + tile.column) * K + c, P - tile.row,
                    Q - tile.column, Q, K, BLOCK_C);
#else
      const int h = tile.row - TOP, w = tile.column - LEFT;
      load_source(source_matrices + t * SOURCE_ROW, SOURCE_MATRIX,
                  source + (((INDEX)tile.image * SOURCE_H + h) * SOURCE_W + w) * SOURCE_C + c, h, w, SOURCE_H, SOURCE_W,
                  SOURCE_C, BLOCK_C);
#endif
    }
#if FUSED_FILTER
    for (int panel = first_panel; panel < last_panel; ++panel) {
      for (int lane = 0; lane < PANEL; lane += 16) {
        for (int i = 0; i < BLOCK_C; i += 16) {
          const int row = max(min(i, BLOCK_C - 16), 0);
          load_filter(filter_matrices + ((panel - first_panel) * FILTER_C + row) * PANEL + lane, filter, c + row,
                      PANEL_CHANNEL(panel, lane));
        }
      }
    }
    const int filter_row = -first_panel * FILTER_C;
#else
    const int filter_row = c;
#endif
    for (int i = 0; i < POINTS; ++i) {
      for (int panel = first_panel; panel < last_panel; ++panel) {
        // The last rows may hold no tile; nobody reads their products.
        for (int t = 0; t < tiles; t += TILE_M)
          multiply(product_matrices + i * PRODUCT_MATRIX + t * PRODUCT_ROW + (panel - first_panel) * PANEL,
                   source_matrices + i * SOURCE_MATRIX + t * SOURCE_ROW,
                   filter_matrices + i * FILTER_MATRIX + (panel * FILTER_C + filter_row) * PANEL, block_c - c,
                   block_c == 0);
      }
    }
  }

#if TRANSPOSED
  float16 cell_vectors[H * W * CELL / 16];
  float *cells = (float *)cell_vectors;
  for (int t = 0; t < tiles; t += TILES_H * TILES_W) {
    for (int i = 0; i < H * W * CELL / 16; ++i) cell_vectors[i] = (float16)(0.0f);
    for (int i = 0; i < TILES_H * TILES_W; ++i) {
      const tile_position tile = find_tile(i, TILES_H, TILES_W);
      for (int channel = 0; channel < (last_panel - first_panel) * PANEL; channel += 16)
        add_products(cells + channel, product_matrices + (t + i) * PRODUCT_ROW + channel, tile.row - PAD_TOP,
                     tile.column - PAD_LEFT);
    }
    const INDEX first_pixel = (INDEX)((first_tile + t) / (TILES_H * TILES_W)) * H * W;
    for (int pixel = 0; pixel < H * W; ++pixel) {
      for (int panel = first_panel; panel < last_panel; ++panel) {
        for (int lane = 0; lane < PANEL; lane += 16) {
          const int channel = PANEL_CHANNEL(panel, lane);
          const INDEX index = (first_pixel + pixel) * C + channel;
          const float16 value = *(const float16 *)(cells + pixel * CELL + (panel - first_panel) * PANEL + lane);
          STORE_PIXEL(value, panel, channel, index);
        }
      }
    }
  }
#else
  for (int t = 0; t < tiles; ++t) {
    const tile_position tile = find_tile(first_tile + t, TILES_H, TILES_W);
    const int rows = min(4, RESULT_H - tile.row), columns = min(4, RESULT_W - tile.column);
    const INDEX first_pixel = ((INDEX)tile.image * RESULT_H + tile.row) * RESULT_W + tile.column;
    for (int panel = first_panel; panel < last_panel; ++panel) {
      for (int lane = 0; lane < PANEL; lane += 16) {
        const int channel = PANEL_CHANNEL(panel, lane);
        float16 values[4][4];
        transform_products(values, product_matrices + t * PRODUCT_ROW + (panel - first_panel) * PANEL + lane);
        for (int y = 0; y < rows; ++y) {
          for (int x = 0; x < columns; ++x) {
            const INDEX index = (first_pixel + y * RESULT_W + x) * RESULT_C + channel;
            STORE_PIXEL(values[y][x], panel, channel, index);
          }
        }
      }
    }
  }
#endif
}

#if !FUSED_FILTER
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void winograd_transform_filter(const __global float *restrict filter, __global float *restrict matrices) {
  const int c = max(min((int)get_global_id(0) * 16, SOURCE_C - 16), 0), panel = get_global_id(1);
  for (int lane = 0; lane < PANEL; lane += 16)
    load_filter(matrices + (panel * SOURCE_C + c) * PANEL + lane, filter, c, PANEL_CHANNEL(panel, lane));
}
#endif
