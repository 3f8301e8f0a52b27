// The tiled matrix product of GPU-class devices: result[m, n] = sum over k of a[m, k] * b[k, n].
// It follows a family's file (gemm_gpu.cl, conv2d_gpu.cl), which says where the operands and the result lie.
//
// A work-group computes TILE_M rows by TILE_N columns in steps of TILE_K. While it multiplies one step out of local
// memory it fetches the next one into registers; two buffers in local memory need one barrier per step.
//
// Defines from the host
//   TILE_M, TILE_N, TILE_K   the tile;  WORK_M, WORK_N: the part of one work-item, multiples of 4
//                            128, 128, 8, 8, 8 for large products; 64, 64, 16, 4, 4; 32, 32, 16, 4, 4 for small ones
//                            TILE_M * TILE_K and TILE_N * TILE_K are multiples of 4 * GROUP
//   SPLITS                   parts into which the sum is cut, for small results with long sums; default 1
// Sizes
//   GROUP = (TILE_M / WORK_M) * (TILE_N / WORK_N) work-items; local memory: 8 * TILE_K * (TILE_M + TILE_N + 8) bytes
// Entry points; ENTRY, ROWS, COLUMNS, SLICES, RESULT_COUNT: see the family's file
//   ENTRY(a, b, result EPILOGUE_PARAMS)                 SPLITS == 1
//   ENTRY_partial(a, b, workspace)                      SPLITS > 1, first pass; workspace: SPLITS * RESULT_COUNT floats
//     global size: { ceil(ROWS / TILE_M) * ceil(COLUMNS / TILE_N) * GROUP, SLICES * SPLITS }, local size { GROUP, 1 }
//   ENTRY_finish(workspace, result EPILOGUE_PARAMS)     SPLITS > 1, second pass: adds the parts in order
//     global size: RESULT_COUNT rounded up to the local size [any]
//
// From the family's file
//   ENTRY                    the name above
//   ROWS, COLUMNS            extents of the largest slice's m and n
//   slice_rows(slice), slice_depth(slice)   extents of a slice
//   A_ALONG_K, B_ALONG_K     1: neighbours in memory are neighbours along k; 0: along m or n
//   A_VECTOR, B_VECTOR       4 where operands can be loaded as aligned vectors that way, else 1
//   operand_a(slice, m, k), operand_b(slice, k, n)   offset of the element in its buffer, OUTSIDE (-1) where it is 0
//   result_offset(slice, m), FIRST_CHANNEL(slice)    of column 0
//   RESULT_COUNT, RESULT_CHANNELS   elements of the result, and of its innermost axis
//   RESULT_VECTOR            4 where each row of the result starts aligned and has whole vectors, else 1

#ifndef SPLITS
#define SPLITS 1
#endif

#define THREADS_M (TILE_M / WORK_M)
#define THREADS_N (TILE_N / WORK_N)
#define GROUP (THREADS_M * THREADS_N)

#if TILE_M * TILE_K % (4 * GROUP) || TILE_N * TILE_K % (4 * GROUP) || WORK_M % 4 || WORK_N % 4 || TILE_K % 4
#error "WORK_M, WORK_N and TILE_K are multiples of 4, TILE_M * TILE_K and TILE_N * TILE_K of 4 * GROUP"
#endif

// Local memory holds both tiles with k as the slow axis. A row's padding spreads transposed stores over the banks.
#define A_PITCH (TILE_M + 4)
#define B_PITCH (TILE_N + 4)

// Vectors of each tile that one work-item fetches.
#define A_FETCHES (TILE_M * TILE_K / A_VECTOR / GROUP)
#define B_FETCHES (TILE_N * TILE_K / B_VECTOR / GROUP)

#define LOAD_ALIGNED4(pointer, offset) (*(__global const float4 *)((pointer) + (offset)))
#if A_VECTOR == 4
typedef float4 vec_a;
#define LOAD_A LOAD_ALIGNED4
#else
typedef float vec_a;
#define LOAD_A LOAD1
#endif
#if B_VECTOR == 4
typedef float4 vec_b;
#define LOAD_B LOAD_ALIGNED4
#else
typedef float vec_b;
#define LOAD_B LOAD1
#endif

#define UNROLL __attribute__((opencl_unroll_hint))
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

// Position of fetch `i` of this work-item in a tile: along the contiguous axis, and across it.
#define ALONG(i, extent, vector) (((int)get_local_id(0) + (i) * GROUP) % ((extent) / (vector)) * (vector))
#define ACROSS(i, extent, vector) (((int)get_local_id(0) + (i) * GROUP) / ((extent) / (vector)))

#if A_ALONG_K
#define A_M(i) ACROSS(i, TILE_K, A_VECTOR)
#define A_K(i) ALONG(i, TILE_K, A_VECTOR)
#else
#define A_M(i) ALONG(i, TILE_M, A_VECTOR)
#define A_K(i) ACROSS(i, TILE_M, A_VECTOR)
#endif
#if B_ALONG_K
#define B_N(i) ACROSS(i, TILE_K, B_VECTOR)
#define B_K(i) ALONG(i, TILE_K, B_VECTOR)
#else
#define B_N(i) ALONG(i, TILE_N, B_VECTOR)
#define B_K(i) ACROSS(i, TILE_N, B_VECTOR)
#endif

// Puts a vector where a tile has it: contiguous, or turned so that its elements follow along k.
INLINED void tile_put(__local float *tile, int pitch, int k, int mn, int vector, int along_k, float4 v) {
  if (vector == 1) {
    tile[k * pitch + mn] = v.x;
  } else if (along_k) {
    tile[k * pitch + mn] = v.x;
    tile[(k + 1) * pitch + mn] = v.y;
    tile[(k + 2) * pitch + mn] = v.z;
    tile[(k + 3) * pitch + mn] = v.w;
  } else {
    *(__local float4 *)(tile + k * pitch + mn) = v;
  }
}

#if SPLITS == 1
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void ENTRY(__global const float *restrict a, __global const float *restrict b,
           __global float *restrict result EPILOGUE_PARAMS) {
#define FINAL(T, LOAD, v, index, channel) EPILOGUE(T, LOAD, v, index, channel)
#else
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void JOIN(ENTRY, _partial)(__global const float *restrict a, __global const float *restrict b,
                           __global float *restrict result) {
#define FINAL(T, LOAD, v, index, channel) (v)
#endif
  __local float4 a_tiles[2][TILE_K * A_PITCH / 4], b_tiles[2][TILE_K * B_PITCH / 4];
  const int tiles_n = (COLUMNS + TILE_N - 1) / TILE_N;
  const int first_m = get_group_id(0) / tiles_n * TILE_M, first_n = get_group_id(0) % tiles_n * TILE_N;
  const int slice = get_group_id(1) / SPLITS, split = get_group_id(1) % SPLITS;
  const int thread_m = get_local_id(0) / THREADS_N * 4, thread_n = get_local_id(0) % THREADS_N * 4;

  const int depth = slice_depth(slice), steps = (depth + TILE_K - 1) / TILE_K;
  const int part = (steps + SPLITS - 1) / SPLITS * TILE_K;
  const int begin = split * part, end = min(begin + part, depth);

  float4 sums[WORK_M][WORK_N / 4];
  UNROLL for (int i = 0; i < WORK_M; i++)
    UNROLL for (int j = 0; j < WORK_N / 4; j++) sums[i][j] = (float4)(0.0f);

  // The iteration before the first multiplies nothing: it only fills the first buffer.
  int buffer = 0;
  for (int k = begin - TILE_K; k < end; k += TILE_K) {
    vec_a next_a[A_FETCHES];
    vec_b next_b[B_FETCHES];
    const int next_k = k + TILE_K;
    if (next_k < end) {
      UNROLL for (int i = 0; i < A_FETCHES; i++) {
        const int at = next_k + A_K(i);
        const INDEX offset = at < end ? operand_a(slice, first_m + A_M(i), at) : OUTSIDE;
        next_a[i] = offset != OUTSIDE ? LOAD_A(a, offset) : (vec_a)(0.0f);
      }
      UNROLL for (int i = 0; i < B_FETCHES; i++) {
        const int at = next_k + B_K(i);
        const INDEX offset = at < end ? operand_b(slice, at, first_n + B_N(i)) : OUTSIDE;
        next_b[i] = offset != OUTSIDE ? LOAD_B(b, offset) : (vec_b)(0.0f);
      }
    }
    if (k >= begin) {
      UNROLL for (int step = 0; step < TILE_K; step++) {
        float4 part_a[WORK_M / 4], part_b[WORK_N / 4];
        UNROLL for (int i = 0; i < WORK_M / 4; i++)
          part_a[i] = a_tiles[buffer][(step * A_PITCH + i * THREADS_M * 4 + thread_m) / 4];
        UNROLL for (int j = 0; j < WORK_N / 4; j++)
          part_b[j] = b_tiles[buffer][(step * B_PITCH + j * THREADS_N * 4 + thread_n) / 4];
        UNROLL for (int i = 0; i < WORK_M / 4; i++)
          UNROLL for (int j = 0; j < WORK_N / 4; j++) {
            sums[4 * i + 0][j] = fma((float4)(part_a[i].x), part_b[j], sums[4 * i + 0][j]);
            sums[4 * i + 1][j] = fma((float4)(part_a[i].y), part_b[j], sums[4 * i + 1][j]);
            sums[4 * i + 2][j] = fma((float4)(part_a[i].z), part_b[j], sums[4 * i + 2][j]);
            sums[4 * i + 3][j] = fma((float4)(part_a[i].w), part_b[j], sums[4 * i + 3][j]);
          }
      }
      buffer ^= 1;
    }
    if (next_k < end) {
      UNROLL for (int i = 0; i < A_FETCHES; i++)
        tile_put((__local float *)a_tiles[buffer], A_PITCH, A_K(i), A_M(i), A_VECTOR, A_ALONG_K, (float4)(next_a[i]));
      UNROLL for (int i = 0; i < B_FETCHES; i++)
        tile_put((__local float *)b_tiles[buffer], B_PITCH, B_K(i), B_N(i), B_VECTOR, B_ALONG_K, (float4)(next_b[i]));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  const int rows = slice_rows(slice);
  UNROLL for (int i = 0; i < WORK_M; i++) {
    const int m = first_m + i / 4 * THREADS_M * 4 + thread_m + i % 4;
    if (m >= rows) continue;
    const INDEX row = result_offset(slice, m);
    UNROLL for (int j = 0; j < WORK_N / 4; j++) {
      const int n = first_n + j * THREADS_N * 4 + thread_n;
      const float4 v = sums[i][j];
#if SPLITS == 1
      const INDEX at = row + n;
#else
      const INDEX at = (INDEX)split * RESULT_COUNT + row + n;
#endif
#if RESULT_VECTOR == 4
      if (n < COLUMNS)
        *(__global float4 *)(result + at) = FINAL(float4, LOAD_ALIGNED4, v, at, FIRST_CHANNEL(slice) + n);
#else
      const float lanes[4] = {v.x, v.y, v.z, v.w};
      UNROLL for (int lane = 0; lane < 4; lane++)
        if (n + lane < COLUMNS)
          result[at + lane] = FINAL(float, LOAD1, lanes[lane], at + lane, FIRST_CHANNEL(slice) + n + lane);
#endif
    }
  }
}

#if SPLITS > 1
__kernel void JOIN(ENTRY, _finish)(__global const float *restrict workspace,
                                   __global float *restrict result EPILOGUE_PARAMS) {
  const INDEX i = get_global_id(0);
  if (i >= RESULT_COUNT) return;
  float v = workspace[i];
  for (int split = 1; split < SPLITS; split++) v += workspace[(INDEX)split * RESULT_COUNT + i];
  result[i] = EPILOGUE(float, LOAD1, v, i, i % RESULT_CHANNELS);
}
#endif
