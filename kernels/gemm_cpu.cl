// Matrix product for CPU-class devices: c = op(a) * op(b), for a batch of row-major matrices. Follows
// vector_cpu.cl.
//
// c[i,j] = sum over k of a[i,k] * b[k,j]. op(a) is M x K and stored as [M,K], or as [K,M] with TRANSPOSE_A; op(b) is
// K x N and stored as [K,N], or as [N,K] with TRANSPOSE_B; c is [M,N]. The channel of the epilogue is the column.
//
// Defines
//   M, N, K, TRANSPOSE_A, TRANSPOSE_B
//   A_BATCH_STRIDE, B_BATCH_STRIDE   elements from one matrix of the batch to the next, 0 for a shared operand
//   VECTOR, TILE_V                lanes (1, 4, 8, 16) and vectors of the columns of a tile, which is kept in registers
//   TILE_M, TILE_N                rows and columns of a tile. Where the columns do not fill its vectors, the last one
//                                 begins earlier and overlaps the one before
//   BLOCK_M, BLOCK_N              rows and columns of the block of c that a work-item computes, tile by tile
//   BLOCK_K                       terms summed before the work-item goes on to the next tile of its block. The sums of
//                                 such blocks are added up, which keeps more digits than one long sum
//   PACK_A, PACK_B                1: the work-item first copies its part of the operand into private memory. A
//                                 transposed b has to be; large operands should be, because rows of a power of two
//                                 floats apart compete for the same cache lines
// Entry point
//   gemm(a, b, c EPILOGUE_PARAMS)
//     global size: { ceil(M / BLOCK_M), ceil(N / BLOCK_N), batch count }, local size { 1, 1, 1 }
// Limits: TILE_M <= BLOCK_M <= M, VECTOR <= TILE_N <= VECTOR * TILE_V, TILE_N <= BLOCK_N <= N, BLOCK_K <= K. A tile's
// accumulators should fit the registers: TILE_M * TILE_V <= 26.

#define COLUMN(v) FIRST_LANE(v, TILE_N)
// So many that what their sum loses is added up, too.
#define MANY_BLOCKS (K > 64 * BLOCK_K)
#define TILES_M ((BLOCK_M + TILE_M - 1) / TILE_M)
#define TILES_N ((BLOCK_N + TILE_N - 1) / TILE_N)

// Distance of neighbouring rows and terms of op(a), and of neighbouring terms of op(b), as the tiles read them.
#if PACK_A
#define SPACE_A
#if TRANSPOSE_A
#define PACKED_A_WIDTH (BLOCK_M + 16)
#define PACKED_A_HEIGHT BLOCK_K
#else
#define PACKED_A_WIDTH (BLOCK_K + 16)
#define PACKED_A_HEIGHT BLOCK_M
#endif
#define WIDTH_A PACKED_A_WIDTH
#else
#define SPACE_A __global
#define WIDTH_A (TRANSPOSE_A ? M : K)
#endif
#define ROW_STEP_A (TRANSPOSE_A ? 1 : WIDTH_A)
#define TERM_STEP_A (TRANSPOSE_A ? WIDTH_A : 1)
#if PACK_B
#define SPACE_B
#define TERM_STEP_B (VECTOR * TILE_V)
#define COLUMN_B(v) ((v) * VECTOR)
#else
#define SPACE_B __global
#define TERM_STEP_B N
#define COLUMN_B(v) COLUMN(v)
#endif

// acc[row] += op(a)[row, k] * op(b)[k, :] over k < count
ALWAYS_INLINE void multiply(vec acc[TILE_M][TILE_V], const SPACE_A float *a, const SPACE_B float *b,
                            const int count) {
  for (int k = 0; k < count; ++k) {
    vec row[TILE_V];
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) row[v] = LOAD(b, COLUMN_B(v));
#pragma unroll
    for (int i = 0; i < TILE_M; ++i) {
      const vec value = (vec)(a[i * ROW_STEP_A]);
#pragma unroll
      for (int v = 0; v < TILE_V; ++v) acc[i][v] = fma(value, row[v], acc[i][v]);
    }
    a += TERM_STEP_A;
    b += TERM_STEP_B;
  }
}

ALWAYS_INLINE void copy_tile(vec to[TILE_M][TILE_V], const vec from[TILE_M][TILE_V]) {
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) to[i][v] = from[i][v];
  }
}

#if PACK_A
// Copies a block of a without changing its order.
ALWAYS_INLINE void pack_a(float *packed, const __global float *a, const int height, const int width) {
  for (int row = 0; row < height; ++row) {
    for (int i = 0; i < width; ++i) packed[row * PACKED_A_WIDTH + i] = a[(INDEX)row * (TRANSPOSE_A ? M : K) + i];
  }
}
#endif

#if PACK_B
// Copies `count` rows of TILE_N columns of op(b), which are then contiguous.
ALWAYS_INLINE void pack_b(vec *packed, const __global float *b, const int count) {
#if TRANSPOSE_B
  for (int v = 0; v < TILE_V; ++v) {
    const __global float *columns = b + (INDEX)COLUMN(v) * K;
#if VECTOR == 16 && K >= 16
    // Where fewer than 16 terms are left, the block begins with terms that are already there.
    for (int block = 0; block < count; block += 16) {
      const int k = min(block, count - 16);
      float16 rows[16];
#pragma unroll
      for (int i = 0; i < 16; ++i) rows[i] = LOAD16(columns, (INDEX)i * K + k);
      transpose16(rows);
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        if (k + i >= 0) packed[(k + i) * TILE_V + v] = rows[i];
      }
    }
#else
    for (int k = 0; k < count; ++k) {
      float *lanes = (float *)(packed + k * TILE_V + v);
      for (int i = 0; i < VECTOR; ++i) lanes[i] = columns[(INDEX)i * K + k];
    }
#endif
  }
#else
  for (int k = 0; k < count; ++k) {
#pragma unroll
    for (int v = 0; v < TILE_V; ++v) packed[k * TILE_V + v] = LOAD(b, (INDEX)k * N + COLUMN(v));
  }
#endif
}
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void gemm(const __global float *restrict a, const __global float *restrict b,
          __global float *restrict c EPILOGUE_PARAMS) {
  // Where a block or tile would pass the end of its dimension it moves back instead, and does not store what its
  // neighbour does.
  const int block_row = (int)get_global_id(0) * BLOCK_M, block_column = (int)get_global_id(1) * BLOCK_N;
  const int first_row = min(block_row, M - BLOCK_M), first_column = min(block_column, N - BLOCK_N);
  const INDEX batch = get_global_id(2);
  const __global float *block_a = a + batch * A_BATCH_STRIDE + (INDEX)first_row * (TRANSPOSE_A ? 1 : K);
  const __global float *block_b = b + batch * B_BATCH_STRIDE + (INDEX)first_column * (TRANSPOSE_B ? K : 1);
  const INDEX block_c = (batch * M + first_row) * N + first_column;
#if PACK_A
  float packed_a[PACKED_A_HEIGHT * PACKED_A_WIDTH];
#endif
#if PACK_B
  vec packed_b[BLOCK_K * TILE_V];
#endif
#if BLOCK_K < K
  vec sums[TILES_N][TILES_M][TILE_M][TILE_V];
#endif
#if MANY_BLOCKS
  vec rests[TILES_N][TILES_M][TILE_M][TILE_V];
#endif

  for (int first_term = 0; first_term < K; first_term += BLOCK_K) {
    const int terms = min(BLOCK_K, K - first_term);
#if PACK_A
    if (TRANSPOSE_A) pack_a(packed_a, block_a + (INDEX)first_term * M, terms, BLOCK_M);
    else pack_a(packed_a, block_a + first_term, BLOCK_M, terms);
#endif
    for (int tile_n = (block_column - first_column) / TILE_N; tile_n < TILES_N; ++tile_n) {
      const int column = min(tile_n * TILE_N, BLOCK_N - TILE_N);
      const int skip_columns = max(tile_n * TILE_N, block_column - first_column) - column;
      const __global float *tile_b =
        block_b + (INDEX)first_term * (TRANSPOSE_B ? 1 : N) + (INDEX)column * (TRANSPOSE_B ? K : 1);
#if PACK_B
      pack_b(packed_b, tile_b, terms);
#endif
      for (int tile_m = (block_row - first_row) / TILE_M; tile_m < TILES_M; ++tile_m) {
        const int row = min(tile_m * TILE_M, BLOCK_M - TILE_M);
        const int skip_rows = max(tile_m * TILE_M, block_row - first_row) - row;
        vec acc[TILE_M][TILE_V];
#pragma unroll
        for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
          for (int v = 0; v < TILE_V; ++v) acc[i][v] = (vec)(0.0f);
        }
        multiply(acc,
#if PACK_A
                 packed_a + row * ROW_STEP_A,
#else
                 block_a + (INDEX)row * ROW_STEP_A + (INDEX)first_term * TERM_STEP_A,
#endif
#if PACK_B
                 (const float *)packed_b,
#else
                 tile_b,
#endif
                 terms);
#if BLOCK_K < K
        if (first_term > 0) {
#pragma unroll
          for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
            for (int v = 0; v < TILE_V; ++v) {
#if MANY_BLOCKS
              vec total = sums[tile_n][tile_m][i][v];
              vec rest = first_term > BLOCK_K ? rests[tile_n][tile_m][i][v] : (vec)(0.0f);
              ADD_BLOCK(vec, total, rest, acc[i][v]);
              rests[tile_n][tile_m][i][v] = rest;
              acc[i][v] = first_term + BLOCK_K < K ? total : BLOCK_SUM(total, rest);
#else
              acc[i][v] += sums[tile_n][tile_m][i][v];
#endif
            }
          }
        }
        if (first_term + BLOCK_K < K) {
          copy_tile(sums[tile_n][tile_m], acc);
          continue;
        }
#endif
#if N % BLOCK_N == 0 && BLOCK_N % TILE_N == 0
#pragma unroll
        for (int i = 0; i < TILE_M; ++i) {
          if (i < skip_rows) continue;
#pragma unroll
          for (int v = 0; v < TILE_V; ++v) {
            const int channel = first_column + column + COLUMN(v);
            const INDEX index = block_c + (INDEX)(row + i) * N + column + COLUMN(v);
            STORE(EPILOGUE(vec, LOAD, acc[i][v], index, channel), c + index);
          }
        }
#else
        // From memory, in loops: the code that stores single lanes compiles slowly and is there once.
        vec rows[TILE_M][TILE_V];
        copy_tile(rows, acc);
#pragma unroll 1
        for (int i = skip_rows; i < TILE_M; ++i) {
#pragma unroll 1
          for (int v = 0; v < TILE_V; ++v) {
            const int channel = first_column + column + COLUMN(v);
            const INDEX index = block_c + (INDEX)(row + i) * N + column + COLUMN(v);
            store_lanes(EPILOGUE(vec, LOAD, rows[i][v], index, channel), skip_columns - COLUMN(v), c + index);
          }
        }
#endif
      }
    }
  }
}
