// Elementwise computation of expressions with broadcasting, several results at once; the expressions are generated.
//
// The result is seen as ROWS x COLUMNS such that along a row every input is either contiguous or one value.
//
// Defines
//   GPU_CLASS        0 or 1
//   LONG_ROWS        GPU_CLASS 0: 1 where COLUMNS is at least 16
//   WIDTH            GPU_CLASS 1: elements of a work-item, 1 or 4, a divisor of COLUMNS
//   PARAMETERS       of the kernel: pointers to the inputs and the results, which may be the same memory
//   OFFSETS(row)     declarations of the offsets of inputs that are neither full nor a single value
//   FACTORS          of the kernel: further parameters, constants of the expressions
//   ELEMENTS(n, index, column)   statements for n elements from `index` on (column `column` of their row): all reads,
//                                then all writes. They use READ, WRITE and VEC, and philox.cl for random numbers
// Entry point
//   pointwise(PARAMETERS, ROWS, COLUMNS FACTORS)                                GPU_CLASS 1
//   pointwise(PARAMETERS, ROWS, COLUMNS, ROWS_PER_ITEM, CHUNK FACTORS)          GPU_CLASS 0
//     ROWS_PER_ITEM, CHUNK: what a work-item computes: rows, and columns of each
//     GPU_CLASS 0: ceil(ROWS / ROWS_PER_ITEM) * ceil(COLUMNS / CHUNK) [1]
//     GPU_CLASS 1: ROWS * COLUMNS / WIDTH, rounded up to the local size [any]


// n floats from n elements of any type, and back.
#define VEC(n) VEC_##n
#define VEC_1 float
#define VEC_4 float4
#define VEC_16 float16
#define READ(n, pointer, offset) READ_##n(pointer, offset)
#define READ_1(pointer, offset) ((float)(pointer)[offset])
#define READ_4(pointer, offset) convert_float4(vload4(0, (pointer) + (offset)))
#define READ_16(pointer, offset) convert_float16(vload16(0, (pointer) + (offset)))
#define WRITE(n, value, pointer, offset) WRITE_##n(value, pointer, offset)
#define WRITE_1(value, pointer, offset) (pointer)[offset] = (value)
#define WRITE_4(value, pointer, offset) vstore4(value, 0, (pointer) + (offset))
#define WRITE_16(value, pointer, offset) vstore16(value, 0, (pointer) + (offset))

#if GPU_CLASS

__kernel void pointwise(PARAMETERS, const INDEX ROWS, const INDEX COLUMNS FACTORS) {
  const INDEX index = (INDEX)get_global_id(0) * WIDTH;
  if (index >= ROWS * COLUMNS) return;
  const INDEX row = index / COLUMNS, column = index % COLUMNS;
  OFFSETS(row)
#if WIDTH == 4
  ELEMENTS(4, index, column)
#else
  ELEMENTS(1, index, column)
#endif
}

#else

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pointwise(PARAMETERS, const INDEX ROWS, const INDEX COLUMNS, const INDEX ROWS_PER_ITEM,
               const INDEX CHUNK FACTORS) {
  const INDEX chunks = (COLUMNS + CHUNK - 1) / CHUNK, item = get_global_id(0);
  const INDEX first = item / chunks * ROWS_PER_ITEM, last = min(first + ROWS_PER_ITEM, ROWS);
  const INDEX begin = item % chunks * CHUNK, end = min(begin + CHUNK, COLUMNS);
  for (INDEX row = first; row < last; ++row) {
    OFFSETS(row)
    INDEX column = begin;
    for (; column + 16 <= end; column += 16) {
      ELEMENTS(16, row * COLUMNS + column, column)
    }
#if LONG_ROWS
    SHORT_LOOP
#endif
    for (; column < end; ++column) {
      ELEMENTS(1, row * COLUMNS + column, column)
    }
  }
}

#endif
