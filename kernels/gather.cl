// Gathers rows of a table by index, converting the element type on the way, and the gradient for the table.
//
// y[b, e] = x[index[b], e]            dx[r, e] = sum over b with index[b] == r of dy[b, e], in the order of b
//
// Defines
//   GPU_CLASS      0 or 1
//   ROWS           rows of the table;  COUNT: number of indices;  ROW: elements of a row
//   SOURCE_TYPE    gather_rows: float, int, uchar, ...
//   RESULT_TYPE    gather_rows: float, int, uchar, ...; an epilogue needs float
// Entry points
//   gather_rows(x, index, y EPILOGUE_PARAMS)         where SOURCE_TYPE is defined
//     work-items: GPU_CLASS ? COUNT * ROW / LANES : COUNT
//   gather_gradient(dy, index, dx EPILOGUE_PARAMS)   elsewhere; float
//     work-items: GPU_CLASS ? ROWS * ROW / LANES : ROWS
//   x: [ROWS, ROW], index: int [COUNT], y and dy: [COUNT, ROW], dx: [ROWS, ROW]
//   LANES = ROW % 4 == 0 ? 4 : 1 for GPU_CLASS. Local size: GPU_CLASS any, the global size rounded up to it; else 1.
//   The epilogue's v is the converted value, its channel the position within the row.
//
// The host checks indices before it uploads them. One outside 0..<ROWS reads as a row of zeros and adds to no gradient.
// The gradient scans all indices for each row of the table: ROWS * COUNT comparisons.

#ifndef SOURCE_TYPE
#define RESULT_TYPE float
#endif

#if GPU_CLASS
#if ROW % 4 == 0
#define LANES 4
#else
#define LANES 1
#endif
#define KERNEL __kernel
#else
#if ROW >= 16
#define LANES 16
#elif ROW >= 8
#define LANES 8
#elif ROW >= 4
#define LANES 4
#else
#define LANES 1
#endif
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if LANES == 1
typedef RESULT_TYPE vec;
#define CONVERT(value) ((vec)(value))
#define STORE(value, pointer) (*(pointer) = (value))
#else
typedef JOIN(RESULT_TYPE, LANES) vec;
#define CONVERT(value) JOIN(convert_, JOIN(RESULT_TYPE, LANES))(value)
#define STORE(value, pointer) JOIN(vstore, LANES)(value, 0, pointer)
#endif
#define LOAD JOIN(LOAD, LANES)

// Blocks of LANES elements; on CPU-class devices the last one may overlap its neighbour.
#define BLOCKS ((ROW + LANES - 1) / LANES)

// Runs the statement for the row and each block (first element e) that this work-item owns.
#if GPU_CLASS
#define FOR_BLOCKS(rows, row, e) \
  const INDEX id = get_global_id(0), row = id / BLOCKS; \
  const int e = id % BLOCKS * LANES; \
  if (row < (rows))
#else
#define FOR_BLOCKS(rows, row, e) \
  const INDEX row = get_global_id(0); \
  for (int block = 0, e = 0; block < BLOCKS; block++, e = min(block * LANES, ROW - LANES))
#endif

#ifdef SOURCE_TYPE

KERNEL void gather_rows(__global const SOURCE_TYPE *restrict x, __global const int *restrict index,
                        __global RESULT_TYPE *restrict y EPILOGUE_PARAMS) {
  FOR_BLOCKS(COUNT, row, e) {
    const INDEX at = row * ROW + e;
    const int source = index[row];
    vec v = (vec)(0);
    if (source >= 0 && source < ROWS) v = CONVERT(LOAD(x, (INDEX)source * ROW + e));
    STORE(EPILOGUE(vec, LOAD, v, at, e), y + at);
  }
}

#else

// Indices whose rows are added one after the other.
#define LONGEST 256

KERNEL void gather_gradient(__global const float *restrict dy, __global const int *restrict index,
                            __global float *restrict dx EPILOGUE_PARAMS) {
  FOR_BLOCKS(ROWS, row, e) {
    const INDEX at = row * ROW + e;
    vec total = (vec)(0.0f), rest = (vec)(0.0f);
    for (int first = 0; first < COUNT; first += LONGEST) {
      vec block = (vec)(0.0f);
      for (int b = first; b < min(first + LONGEST, COUNT); b++)
        if (index[b] == row) block += LOAD(dy, (INDEX)b * ROW + e);
      ADD_BLOCK(vec, total, rest, block);
    }
    const vec v = BLOCK_SUM(total, rest);
    STORE(EPILOGUE(vec, LOAD, v, at, e), dx + at);
  }
}

#endif
