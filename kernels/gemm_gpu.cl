// General matrix product for GPU-class devices: c = op(a) op(b), op being the identity or the transpose, in a batch.
// Followed by matrix_tile_gpu.cl, which has the entry points, their sizes and the tiling.
//
// c[batch, m, n] = sum over k of op(a)[batch, m, k] * op(b)[batch, k, n]
//
// Defines
//   M, N, K                          extents of the product
//   TRANSPOSE_A, TRANSPOSE_B         1: a is stored as [K, M], b as [N, K]
//   BATCH                            entries of c
//   A_BATCH_STRIDE, B_BATCH_STRIDE   elements from one entry to the next, 0 for a shared operand
// Entry points: gemm(a, b, c EPILOGUE_PARAMS), or gemm_partial and gemm_finish where SPLITS > 1
//   a, b and c are whole, contiguous matrices.
//   ROWS = M, COLUMNS = N, SLICES = BATCH, RESULT_COUNT = BATCH * M * N

#define ENTRY gemm
#define ROWS M
#define COLUMNS N
#define RESULT_COUNT ((INDEX)BATCH * M * N)
#define RESULT_CHANNELS N
#define FIRST_CHANNEL(slice) 0

#define A_ALONG_K (!TRANSPOSE_A)
#define B_ALONG_K TRANSPOSE_B

#if (TRANSPOSE_A ? M : K) % 4 == 0 && A_BATCH_STRIDE % 4 == 0
#define A_VECTOR 4
#else
#define A_VECTOR 1
#endif
#if (TRANSPOSE_B ? K : N) % 4 == 0 && B_BATCH_STRIDE % 4 == 0
#define B_VECTOR 4
#else
#define B_VECTOR 1
#endif
#if N % 4 == 0
#define RESULT_VECTOR 4
#else
#define RESULT_VECTOR 1
#endif

#define OUTSIDE (-1)

static inline int slice_rows(int slice) { return M; }
static inline int slice_depth(int slice) { return K; }

static inline INDEX operand_a(int slice, int m, int k) {
  if (m >= M) return OUTSIDE;
  return (INDEX)slice * A_BATCH_STRIDE + (TRANSPOSE_A ? (INDEX)k * M + m : (INDEX)m * K + k);
}

static inline INDEX operand_b(int slice, int k, int n) {
  if (n >= N) return OUTSIDE;
  return (INDEX)slice * B_BATCH_STRIDE + (TRANSPOSE_B ? (INDEX)n * K + k : (INDEX)k * N + n);
}

static inline INDEX result_offset(int slice, int m) { return ((INDEX)slice * M + m) * N; }
