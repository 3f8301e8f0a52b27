// Filter gradient of a Winograd convolution F(4x4, 3x3) for CPU-class devices: 3x3 filters with stride 1, dilation 1
// and one group. Follows winograd_transform_cpu.cl. Shapes and geometry as in conv2d_cpu.cl.
//
//   df = G' [ sum over tiles of (B' x B) * (A dy A') ] G
// A work-item computes a block of channels: for chunks of tiles it transforms x and dy, then adds the matrix product
// [BLOCK_C, CHUNK] x [CHUNK, BLOCK_K] of each of the 36 points to its sums. All of that is private memory, small enough
// for a core's second cache. The tiles are cut into SPLITS parts whose results go to a workspace and are then added in
// order.
//
// Defines
//   N, H, W, C, P, Q, K, PAD_TOP, PAD_LEFT   the shapes
//   BLOCK_C, BLOCK_K   channels of x and dy of a work-item
//   TILE_M, TILE_V     channels of x, and vectors of channels of dy, of a block of sums in registers. TILE_V divides
//                      the ceil(BLOCK_K / 16) vectors of a work-item, of which the last may overlap the one before
//   CHUNK              tiles transformed at a time
//   SPLITS             parts, at most the number of tiles, N * ceil(P / 4) * ceil(Q / 4)
// Entry points
//   winograd_filter_gradient(x, dy, partial)
//     partial: workspace of SPLITS * 9*C*K floats, or df itself where SPLITS is 1
//     global size: { ceil(C / BLOCK_C) * ceil(K / BLOCK_K), SPLITS }, local size { 1, 1 }
//     sum_parts.cl is to follow where SPLITS > 1
// Limits: R = S = 3, strides, dilations and GROUPS 1; VECTOR 16; BLOCK_C <= C and BLOCK_K <= K, both 16 or more where
// there are as many; TILE_M * TILE_V <= 26.

#define TILES_H ((P + 3) / 4)
#define TILES_W ((Q + 3) / 4)
#define TILES (N * TILES_H * TILES_W)
#define BLOCKS_K ((K + BLOCK_K - 1) / BLOCK_K)
#define FILTER_SIZE (9 * C * K)

// Vectors of dy, and the first channel of one.
#define VECTORS ((BLOCK_K + 15) / 16)
#define LANE(v) (BLOCK_K < 16 ? 0 : FIRST_LANE(v, BLOCK_K))

// Matrices of the points: x [CHUNK, BLOCK_C], dy [CHUNK, BLOCK_K], sums [BLOCK_C, 16 * VECTORS]. The last block of
// TILE_M rows of the sums may be longer than BLOCK_C; it then reads the end of the rows of x, and nobody reads it.
#define ROW_BLOCKS ((BLOCK_C + TILE_M - 1) / TILE_M)
#define X_ROW ((ROW_BLOCKS * TILE_M + 15) / 16 * 16 + 16)
#define X_MATRIX (CHUNK * X_ROW)
#define DY_ROW (VECTORS * 16 + 16)
#define DY_MATRIX (CHUNK * DY_ROW)
#define SUM_ROW (VECTORS * 16)
#define SUM_MATRIX (ROW_BLOCKS * TILE_M * SUM_ROW + 16)

// G' s
ALWAYS_INLINE void transform_sum(float16 g[3], const float16 s[6]) {
  const float16 even_1 = s[1] + s[2], odd_1 = s[1] - s[2];
  const float16 even_2 = s[3] + s[4], odd_2 = s[3] - s[4];
  g[0] = fma((float16)(-2.0f / 3.0f), even_1, fma((float16)(1.0f / 6.0f), even_2, s[0]));
  g[1] = fma((float16)(-2.0f / 3.0f * SQRT_HALF), odd_1, odd_2 * (1.0f / 6.0f * SQRT_2));
  g[2] = fma((float16)(1.0f / 3.0f), even_2 - even_1, s[5]);
}

// sums[c, :] += x[tile, c] * dy[tile, :] over `tiles`, for TILE_M channels c and TILE_V vectors of dy; `=` if these are
// the first tiles.
ALWAYS_INLINE void multiply(float *sums, const float *x, const float *dy, const int first_v, const int tiles,
                            const bool is_first) {
  float16 acc[TILE_M][TILE_V];
#pragma unroll
  for (int c = 0; c < TILE_M; ++c) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v)
      acc[c][v] = is_first ? (float16)(0.0f) : *(float16 *)(sums + c * SUM_ROW + (first_v + v) * 16);
  }
  for (int t = 0; t < tiles; ++t) {
    float16 row[TILE_V];
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) row[v] = vload16(0, dy + t * DY_ROW + LANE(first_v + v));
#pragma unroll
    for (int c = 0; c < TILE_M; ++c) {
      const float16 value = (float16)(x[t * X_ROW + c]);
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) acc[c][v] = fma(value, row[v], acc[c][v]);
    }
  }
#pragma unroll
  for (int c = 0; c < TILE_M; ++c) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) *(float16 *)(sums + c * SUM_ROW + (first_v + v) * 16) = acc[c][v];
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void winograd_filter_gradient(const __global float *restrict x, const __global float *restrict dy,
                              __global float *restrict partial) {
  // Arrays of vectors, for their alignment.
  float16 x_vectors[POINTS * X_MATRIX / 16], dy_vectors[POINTS * DY_MATRIX / 16], sum_vectors[POINTS * SUM_MATRIX / 16];
  float *x_matrices = (float *)x_vectors, *dy_matrices = (float *)dy_vectors, *sums = (float *)sum_vectors;
  // Where a block would pass the last channel it moves back, and does not store what its neighbour does.
  const int block_c = (int)get_global_id(0) / BLOCKS_K * BLOCK_C, block_k = (int)get_global_id(0) % BLOCKS_K * BLOCK_K;
  const int first_c = min(block_c, C - BLOCK_C), first_k = min(block_k, K - BLOCK_K);
  const int split = get_global_id(1);
  const int begin = (long)TILES * split / SPLITS, end = (long)TILES * (split + 1) / SPLITS;

  for (int first = begin; first < end; first += CHUNK) {
    const int tiles = min(CHUNK, end - first);
    for (int t = 0; t < tiles; ++t) {
      const tile_position tile = find_tile(first + t, TILES_H, TILES_W);
      const int h = tile.row - PAD_TOP, w = tile.column - PAD_LEFT;
      load_source(x_matrices + t * X_ROW, X_MATRIX, x + (((INDEX)tile.image * H + h) * W + w) * C + first_c, h, w, H, W,
                  C, BLOCK_C);
      load_gradient(dy_matrices + t * DY_ROW, DY_MATRIX,
                    dy + (((INDEX)tile.image * P + tile.row) * Q + tile.column) * K + first_k, P - tile.row,
                    Q - tile.column, Q, K, BLOCK_K);
    }
    for (int i = 0; i < POINTS; ++i) {
      for (int v = 0; v < VECTORS; v += TILE_V) {
        for (int c = 0; c < BLOCK_C; c += TILE_M)
          multiply(sums + i * SUM_MATRIX + c * SUM_ROW, x_matrices + i * X_MATRIX + c, dy_matrices + i * DY_MATRIX, v,
                   tiles, first == begin);
      }
    }
  }

  __global float *result = partial + (INDEX)split * FILTER_SIZE;
  for (int c = block_c - first_c; c < BLOCK_C; ++c) {
    for (int v = 0; v < VECTORS; ++v) {
      const int k = LANE(v);
      float16 rows[3][6];
#pragma unroll 1
      for (int j = 0; j < 6; ++j) {
        float16 s[6], g[3];
#pragma unroll
        for (int i = 0; i < 6; ++i) s[i] = *(const float16 *)(sums + (i * 6 + j) * SUM_MATRIX + c * SUM_ROW + v * 16);
        transform_sum(g, s);
#pragma unroll
        for (int i = 0; i < 3; ++i) rows[i][j] = g[i];
      }
#pragma unroll
      for (int r = 0; r < 3; ++r) {
        float16 g[3];
        transform_sum(g, rows[r]);
#pragma unroll
        for (int s = 0; s < 3; ++s) {
          __global float *to = result + ((r * 3 + s) * C + first_c + c) * K + first_k + k;
#if K < 16
          for (int i = 0; i < K; ++i) to[i] = ((const float *)&g[s])[i];
#else
          store_lanes(g[s], block_k - first_k - k, to);
#endif
        }
      }
    }
  }
}
