// Moves elements without arithmetic: transpose, strided slice, concatenation, padding, broadcast copies.
//
// Defines
//   TYPE         element type: float, int, uchar, ...
//   shaping_copy and shaping_pad:
//     COUNT        number of vectors to move
//     WIDTH        elements per vector, 1, 4, 8 or 16: contiguous in source and destination; default 1
//     SOURCE(i), DESTINATION(i)   element offset of vector i, expressions of the INDEX i in 0..<COUNT;
//                                 from row-major sizes and strides, e.g. (i) / 12 * 40 + (i) % 12
//     INSIDE(i)    shaping_pad only: whether vector i comes from the source; SOURCE(i) is evaluated only where it holds
//     FILL         shaping_pad only: the value elsewhere
//   shaping_transpose:
//     BATCH, HEIGHT, WIDE    y[b, j, i] = x[b, i, j] for x: [BATCH, HEIGHT, WIDE]; any permutation that swaps two
//                            neighbouring groups of axes is of this form; the others go through shaping_copy
//     GPU_CLASS    0 or 1
// Entry points
//   shaping_copy(x, y)         y[DESTINATION(i)...] = x[SOURCE(i)...];  concat: one launch per input
//   shaping_pad(x, y)          where INSIDE is defined
//     global size: COUNT rounded up to the local size [any, 64 is good]
//   shaping_transpose(x, y)    where HEIGHT is defined
//     GPU_CLASS 0: BATCH * ceil(HEIGHT / 16) [1]
//     GPU_CLASS 1: (ceil(WIDE / 16) * 16, ceil(HEIGHT / 16) * 16, BATCH) [16, 16, 1]

#ifdef COUNT

#ifndef WIDTH
#define WIDTH 1
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if WIDTH == 1
#define MOVE(from, to) (*(to) = *(from))
#define PUT(value, to) (*(to) = (value))
#else
#define MOVE(from, to) JOIN(vstore, WIDTH)(JOIN(vload, WIDTH)(0, from), 0, to)
#define PUT(value, to) JOIN(vstore, WIDTH)((JOIN(TYPE, WIDTH))(value), 0, to)
#endif

#ifdef INSIDE
__kernel void shaping_pad(__global const TYPE *restrict x, __global TYPE *restrict y) {
  const INDEX i = get_global_id(0);
  if (i >= COUNT) return;
  if (INSIDE(i))
    MOVE(x + (SOURCE(i)), y + (DESTINATION(i)));
  else
    PUT((TYPE)(FILL), y + (DESTINATION(i)));
}
#else
__kernel void shaping_copy(__global const TYPE *restrict x, __global TYPE *restrict y) {
  const INDEX i = get_global_id(0);
  if (i < COUNT) MOVE(x + (SOURCE(i)), y + (DESTINATION(i)));
}
#endif
#endif

#ifdef HEIGHT
#define TILE 16

#if GPU_CLASS
__kernel __attribute__((reqd_work_group_size(TILE, TILE, 1)))
void shaping_transpose(__global const TYPE *restrict x, __global TYPE *restrict y) {
  __local TYPE tile[TILE][TILE + 1];
  const int column = get_local_id(0), row = get_local_id(1);
  const int left = get_group_id(0) * TILE, top = get_group_id(1) * TILE;
  const INDEX base = (INDEX)get_group_id(2) * HEIGHT * WIDE;
  if (top + row < HEIGHT && left + column < WIDE)
    tile[row][column] = x[base + (INDEX)(top + row) * WIDE + left + column];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (left + row < WIDE && top + column < HEIGHT)
    y[base + (INDEX)(left + row) * HEIGHT + top + column] = tile[column][row];
}
#else
// One work-item turns a band of 16 rows: it writes whole cache lines of the result (of 4-byte elements).
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void shaping_transpose(__global const TYPE *restrict x, __global TYPE *restrict y) {
  const int bands = (HEIGHT + TILE - 1) / TILE;
  const int top = get_global_id(0) % bands * TILE, height = min(HEIGHT - top, TILE);
  const INDEX base = get_global_id(0) / bands * (INDEX)HEIGHT * WIDE;
  __global const TYPE *restrict from = x + base + (INDEX)top * WIDE;
  __global TYPE *restrict to = y + base + top;
  if (height == TILE) {
    for (INDEX j = 0; j < WIDE; j++)
      for (int i = 0; i < TILE; i++) to[j * HEIGHT + i] = from[(INDEX)i * WIDE + j];
  } else {
    for (INDEX j = 0; j < WIDE; j++)
      for (int i = 0; i < height; i++) to[j * HEIGHT + i] = from[(INDEX)i * WIDE + j];
  }
}
#endif
#endif
