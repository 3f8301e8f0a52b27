// Matrix product with few columns for CPU-class devices: c = op(a) * op(b), for a batch of row-major matrices. Follows
// vector_cpu.cl; operands as in gemm_cpu.cl.
//
// Columns would leave most lanes of a vector empty. Lanes run over the terms, which gives 16 parts of each sum, or with
// TRANSPOSE_A, where rows lie side by side, over the rows.
//
// Defines
//   M, N, K, TRANSPOSE_A, TRANSPOSE_B, A_BATCH_STRIDE, B_BATCH_STRIDE   as in gemm_cpu.cl
//   TILE_M    rows, or with TRANSPOSE_A vectors of rows, of a tile of all columns, which is kept in registers
//   BLOCK_M   rows of a work-item
//   BLOCK_K   terms that are summed before they join the sums of others, which keeps more digits than one long sum;
//             without TRANSPOSE_A a multiple of 16 or K, whose part of b should stay in the first cache
// Entry point
//   gemm(a, b, c EPILOGUE_PARAMS)
//     global size: { ceil(M / BLOCK_M), batch count }, local size { 1, 1 }
// Limits: VECTOR 16; N <= 16; TILE_M * N <= 26; 16 <= K and TILE_M <= M, or 16 * TILE_M <= M with TRANSPOSE_A. Without
// TRANSPOSE_A and TRANSPOSE_B a work-item copies its part of b to private memory.

// So many that what their sum loses is added up, too.
#define MANY_BLOCKS (K > 64 * BLOCK_K)

#if TRANSPOSE_A
#define TILE_ROWS (16 * TILE_M)
#else
#define TILE_ROWS TILE_M
#endif

#if TRANSPOSE_A
// acc[i, j] = sum over first <= k < end of a[k, 16 * i ... 16 * i + 15] * b[k, j]
ALWAYS_INLINE void multiply_terms(float16 acc[TILE_M][N], const __global float *a, const __global float *b,
                                  const int first, const int end) {
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
    for (int j = 0; j < N; ++j) acc[i][j] = (float16)(0.0f);
  }
  for (int k = first; k < end; ++k) {
    float16 rows[TILE_M];
#pragma unroll
    for (int i = 0; i < TILE_M; ++i) rows[i] = LOAD16(a, (INDEX)k * M + i * 16);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float16 value = (float16)(b[TRANSPOSE_B ? (INDEX)j * K + k : (INDEX)k * N + j]);
#pragma unroll
      for (int i = 0; i < TILE_M; ++i) acc[i][j] = fma(rows[i], value, acc[i][j]);
    }
  }
}

// The rows of c of a tile: sums[row, j] = sum over k of a[k, row] * b[k, j]
ALWAYS_INLINE void multiply(float *sums, const __global float *a, const __global float *b) {
  float16 acc[TILE_M][N];
#if K <= BLOCK_K
  multiply_terms(acc, a, b, 0, K);
#else
  float16 total[TILE_M][N], rest[TILE_M][N];
  for (int first = 0; first < K; first += BLOCK_K) {
    multiply_terms(acc, a, b, first, min(first + BLOCK_K, K));
#pragma unroll
    for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
      for (int j = 0; j < N; ++j) {
        if (first == 0) total[i][j] = rest[i][j] = (float16)(0.0f);
        ADD_BLOCK(float16, total[i][j], rest[i][j], acc[i][j]);
        acc[i][j] = BLOCK_SUM(total[i][j], rest[i][j]);
      }
    }
  }
#endif
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
    float16 rows[16];
#pragma unroll
    for (int j = 0; j < 16; ++j) rows[j] = j < N ? acc[i][j < N ? j : 0] : (float16)(0.0f);
    transpose16(rows);
    // Each row's empty lanes are where the next one begins.
#pragma unroll
    for (int row = 0; row < 16; ++row) vstore16(rows[row], 0, sums + (i * 16 + row) * N);
  }
}
#else
#if TRANSPOSE_B
#define SPACE_B __global
#define COLUMN_STEP K
#else
#define SPACE_B
#define COLUMN_STEP BLOCK_K
// Copies `count` rows of b [K, N], of which `rest` elements are left, to columns of BLOCK_K.
ALWAYS_INLINE void transpose_b(float *transposed, const __global float *b, const int count, const INDEX rest) {
  int k = 0;
  // Up to rows whose vector would pass the end of b.
  for (; k + 16 <= count && (INDEX)(k + 15) * N + 16 <= rest; k += 16) {
    float16 rows[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) rows[i] = LOAD16(b, (k + i) * N);
    transpose16(rows);
#pragma unroll
    for (int j = 0; j < N; ++j) vstore16(rows[j], 0, transposed + j * BLOCK_K + k);
  }
  for (; k < count; ++k) {
    SHORT_LOOP
    for (int j = 0; j < N; ++j) transposed[j * BLOCK_K + k] = b[k * N + j];
  }
}
#endif

ALWAYS_INLINE float sum_of_lanes(const float16 value) {
  const float8 eight = value.lo + value.hi;
  const float4 four = eight.lo + eight.hi;
  return (four.x + four.z) + (four.y + four.w);
}

// acc[i, j] += a[i, k ... k + 15] * b[j, k ... k + 15], without the first `skip` of these terms
ALWAYS_INLINE void add_terms(float16 acc[TILE_M][N], const __global float *a, const SPACE_B float *b, const int k,
                             const int skip) {
  const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  float16 terms[TILE_M];
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
    terms[i] = LOAD16(a, (INDEX)i * K + k);
    if (skip > 0) terms[i] = select((float16)(0.0f), terms[i], lane >= (int16)(skip));
  }
#pragma unroll
  for (int j = 0; j < N; ++j) {
    float16 column = LOAD16(b, (INDEX)j * COLUMN_STEP + k);
    if (skip > 0) column = select((float16)(0.0f), column, lane >= (int16)(skip));
#pragma unroll
    for (int i = 0; i < TILE_M; ++i) acc[i][j] = fma(terms[i], column, acc[i][j]);
  }
}

// parts[i, j] += a[i, k] * b[j, k] over `count` terms, 16 sums each; `=` if these are the first terms. `rests` takes in
// what these sums lose, if there are many.
ALWAYS_INLINE void multiply(float16 *parts, float16 *rests, const __global float *a, const SPACE_B float *b,
                            const int count, const bool is_first) {
  float16 acc[TILE_M][N];
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
    for (int j = 0; j < N; ++j) acc[i][j] = (float16)(0.0f);
  }
  for (int k = 0; k + 16 <= count; k += 16) add_terms(acc, a, b, k, 0);
#if K % 16 > 0
  // What is left, in a vector that moved back.
  if (count % 16 > 0) add_terms(acc, a, b, count - 16, 16 - K % 16);
#endif
#pragma unroll
  for (int i = 0; i < TILE_M; ++i) {
#pragma unroll
    for (int j = 0; j < N; ++j) {
#if MANY_BLOCKS
      float16 total = parts[i * N + j], rest = rests[i * N + j];
      if (is_first) total = rest = (float16)(0.0f);
      ADD_BLOCK(float16, total, rest, acc[i][j]);
      parts[i * N + j] = total;
      rests[i * N + j] = rest;
#else
      parts[i * N + j] = is_first ? acc[i][j] : parts[i * N + j] + acc[i][j];
#endif
    }
  }
}
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void gemm(const __global float *restrict a, const __global float *restrict b,
          __global float *restrict c EPILOGUE_PARAMS) {
  const int first_row = (int)get_global_id(0) * BLOCK_M, end = min(first_row + BLOCK_M, M);
  const INDEX batch = get_global_id(1);
  const __global float *matrix_a = a + batch * A_BATCH_STRIDE, *matrix_b = b + batch * B_BATCH_STRIDE;
#if !TRANSPOSE_A
#define ROW_TILES ((BLOCK_M + TILE_M - 1) / TILE_M)
  float16 parts[ROW_TILES * TILE_M * N], rests[MANY_BLOCKS ? ROW_TILES * TILE_M * N : 1];
  for (int k = 0; k < K; k += BLOCK_K) {
    const int count = min(BLOCK_K, K - k);
#if TRANSPOSE_B
    const __global float *block_b = matrix_b + k;
#else
    float block_b[N * BLOCK_K];
    transpose_b(block_b, matrix_b + (INDEX)k * N, count, (INDEX)(K - k) * N);
#endif
    for (int row = first_row; row < end; row += TILE_M) {
      const int at = (row - first_row) * N;
      multiply(parts + at, rests + (MANY_BLOCKS ? at : 0), matrix_a + (INDEX)min(row, M - TILE_M) * K + k, block_b,
               count, k == 0);
    }
  }
#endif
  for (int tile_row = first_row; tile_row < end; tile_row += TILE_ROWS) {
    // The tile that would pass the last row moves back, and does not store the rows of the tile before it.
    const int row = min(tile_row, M - TILE_ROWS);
    float sums[TILE_ROWS * N + 16];
#if TRANSPOSE_A
    multiply(sums, matrix_a + row, matrix_b);
#else
    for (int i = 0; i < TILE_M * N; ++i) {
      const int at = (tile_row - first_row) * N + i;
      sums[i] = sum_of_lanes(MANY_BLOCKS ? BLOCK_SUM(parts[at], rests[MANY_BLOCKS ? at : 0]) : parts[at]);
    }
#endif
    const INDEX stored = (batch * M + row) * N;
    for (int i = (tile_row - row) * N; i < min(end - row, TILE_ROWS) * N; ++i)
      c[stored + i] = EPILOGUE(float, LOAD1, sums[i], stored + i, i % N);
  }
}
