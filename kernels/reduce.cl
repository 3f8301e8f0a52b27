// Sum, mean or maximum over one axis of a contiguous [OUTER, REDUCE, INNER] view, and argmax; fixed order, no atomics.
// Follows group_tree.cl if GPU-class.
//
// Sums are made of blocks (ADD_BLOCK in common.cl): their rounding error does not grow with their length.
//
// The host merges neighbouring axes into that view. Reduced axes that do not merge are reduced one after the other, the
// innermost first, or in one launch by reduce_strided.
//   rows: INNER == 1 (sums over channels); columns: OUTER == 1 (bias gradients); to a scalar: OUTER == INNER == 1
//
// Defines
//   GPU_CLASS       0 or 1
//   ARGMAX          1: the program holds reduce_argmax and nothing else
//   REDUCE_MAX      1: maximum, a NaN wins; 0: sum
//   SCALE           factor of the result, a float literal (1/REDUCE for a mean); default 1.0f
//   OUTER, REDUCE, INNER
//   SPLITS          parts into which REDUCE is cut, 1 <= SPLITS <= REDUCE
//   ROWS_PER_ITEM   GPU_CLASS 0: (outer, part) pairs per work-item; default 1; more for many short rows
//   GROUP, LANES    GPU_CLASS 1: local size and the work-items side by side in memory, powers of two, LANES <= GROUP;
//                   INNER == 1: LANES work-items share a row; else: a group covers LANES columns
// Entry points
//   reduce_direct(x, y EPILOGUE_PARAMS)           SPLITS == 1.  x: [OUTER, REDUCE, INNER], y: [OUTER, INNER]
//   reduce_partial(x, workspace)                  SPLITS > 1, first pass.  workspace: SPLITS * OUTER * INNER floats
//   reduce_finish(workspace, y EPILOGUE_PARAMS)   SPLITS > 1, second pass
//   reduce_argmax(x, index)                       ARGMAX 1.  index: int [OUTER, INNER], the first maximum; a NaN wins
//   reduce_strided(x, y EPILOGUE_PARAMS)          where COUNT is defined: y[i], i < COUNT, over r < REDUCE of
//                                                 x[KEPT(i) + REDUCED(r)]; both macros give element offsets
//   The epilogue's channel is the column, or the row where INNER == 1.
// Global size [local size]
//   reduce_direct and reduce_partial
//     GPU_CLASS 0:              ceil(OUTER * SPLITS / ROWS_PER_ITEM) [1]
//     GPU_CLASS 1, INNER == 1:  ceil(OUTER * SPLITS / (GROUP / LANES)) * GROUP [GROUP]
//     GPU_CLASS 1, INNER > 1:   OUTER * SPLITS * ceil(INNER / LANES) * GROUP [GROUP]
//   reduce_finish, reduce_argmax: OUTER * INNER, reduce_strided: COUNT, each rounded up to the local size [any]
// Good choices
//   SPLITS: 1 where the result alone fills the device; else so many that the first pass has about 8 work-items
//   (GPU_CLASS: groups) per compute unit, each part with at least 4096 elements.
//   LANES: the power of two nearest to the length of a part / 4 (rows) or not below INNER (columns), within 4...GROUP
//   (columns: 4...64). GROUP: 256, or what the device allows.

#ifndef SCALE
#define SCALE 1.0f
#endif
#ifndef ROWS_PER_ITEM
#define ROWS_PER_ITEM 1
#endif

#if REDUCE_MAX
#define IDENTITY (-INFINITY)
#define COMBINE(a, b) select(a, b, ((b) > (a)) | ((b) != (b)))
#define COMBINE_BLOCK(T, total, rest, block) total = COMBINE(total, block)
#define RESULT(total, rest) (total)
#else
#define IDENTITY 0.0f
#define COMBINE(a, b) ((a) + (b))
#define COMBINE_BLOCK ADD_BLOCK
#define RESULT BLOCK_SUM
#endif

#ifdef COUNT
__kernel void reduce_strided(__global const float *restrict x, __global float *restrict y EPILOGUE_PARAMS) {
  const INDEX i = get_global_id(0);
  if (i >= COUNT) return;
  const INDEX base = KEPT(i);
  float total = IDENTITY, rest = 0.0f;
  for (INDEX first = 0; first < REDUCE; first += SUM_BLOCK) {
    const INDEX end = min(first + SUM_BLOCK, (INDEX)REDUCE);
    float block = IDENTITY;
    for (INDEX r = first; r < end; r++) {
      const float value = x[base + REDUCED(r)];
      block = COMBINE(block, value);
    }
    COMBINE_BLOCK(float, total, rest, block);
  }
  const float v = RESULT(total, rest) * SCALE;
  y[i] = EPILOGUE(float, LOAD1, v, i, i);
}
#else

#define PART ((REDUCE + SPLITS - 1) / SPLITS)
#define CHANNEL(outer, column) (INNER == 1 ? (outer) : (column))

// The first pass ends in the result itself, or in the slot of its part.
#if ARGMAX || SPLITS == 1
#define FIRST_PASS reduce_direct(__global const float *restrict x, __global float *restrict y EPILOGUE_PARAMS)
#define SLOT(outer, part) ((INDEX)(outer) * INNER)
#define FINAL(T, LOAD, v, index, channel) EPILOGUE(T, LOAD, v, index, channel)
#define FACTOR SCALE
#else
#define FIRST_PASS reduce_partial(__global const float *restrict x, __global float *restrict y)
#define SLOT(outer, part) (((INDEX)(part) * OUTER + (outer)) * INNER)
#define FINAL(T, LOAD, v, index, channel) (v)
#define FACTOR 1.0f

__kernel void reduce_finish(__global const float *restrict workspace, __global float *restrict y EPILOGUE_PARAMS) {
  const INDEX i = get_global_id(0);
  if (i >= (INDEX)OUTER * INNER) return;
  float total = IDENTITY, rest = 0.0f;
  for (int first = 0; first < SPLITS; first += SUM_BLOCK) {
    float block = IDENTITY;
    for (int part = first; part < min(first + SUM_BLOCK, SPLITS); part++) {
      const float value = workspace[(INDEX)part * OUTER * INNER + i];
      block = COMBINE(block, value);
    }
    COMBINE_BLOCK(float, total, rest, block);
  }
  const float v = RESULT(total, rest) * SCALE;
  y[i] = EPILOGUE(float, LOAD1, v, i, CHANNEL(i, i % INNER));
}
#endif

#if ARGMAX
__kernel void reduce_argmax(__global const float *restrict x, __global int *restrict index) {
  const INDEX i = get_global_id(0);
  if (i >= (INDEX)OUTER * INNER) return;
  const INDEX base = i / INNER * REDUCE * INNER + i % INNER;
  float best = x[base];
  int at = 0;
  for (int r = 1; r < REDUCE; r++) {
    const float value = x[base + (INDEX)r * INNER];
    if (value > best || (value != value && best == best)) {
      best = value;
      at = r;
    }
  }
  index[i] = at;
}

#elif GPU_CLASS

GROUP_TREE(reduce_tree, COMBINE)

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void FIRST_PASS {
  __local float shared[GROUP];
  const int item = get_local_id(0);
#if INNER == 1
  // LANES work-items take every LANES-th element of a row's part.
  const int lane = item % LANES, step = LANES, distance = 1;
  const INDEX row = (INDEX)get_group_id(0) * (GROUP / LANES) + item / LANES;
  const bool real = row < (INDEX)OUTER * SPLITS;
  const INDEX outer = row / SPLITS, column = 0;
  const int part = row % SPLITS, lanes = LANES;
#else
  // GROUP / LANES work-items share a column; neighbours read neighbouring columns.
  const int lane = item / LANES, step = GROUP / LANES, distance = LANES;
  const int tiles = (INNER + LANES - 1) / LANES;
  const INDEX row = get_group_id(0) / tiles;
  const INDEX outer = row / SPLITS, column = get_group_id(0) % tiles * LANES + item % LANES;
  const bool real = column < INNER;
  const int part = row % SPLITS, lanes = GROUP / LANES;
#endif
  float total = IDENTITY, rest = 0.0f;
  if (real) {
    const INDEX last = min((INDEX)(part + 1) * PART, (INDEX)REDUCE);
    for (INDEX first = (INDEX)part * PART + lane; first < last; first += SUM_BLOCK * step) {
      const INDEX end = min(first + SUM_BLOCK * step, last);
      float block = IDENTITY;
      for (INDEX r = first; r < end; r += step) {
        const float value = x[(outer * REDUCE + r) * INNER + column];
        block = COMBINE(block, value);
      }
      COMBINE_BLOCK(float, total, rest, block);
    }
  }
  const float sum = reduce_tree(RESULT(total, rest), shared, lanes, distance);
  if (real && lane == 0) {
    const INDEX at = SLOT(outer, part) + column;
    const float v = sum * FACTOR;
    y[at] = FINAL(float, LOAD1, v, at, CHANNEL(outer, column));
  }
}

#else

#if INNER == 1

// Reduces 16 lanes as a tree.
static inline float reduce_lanes(float16 v) {
  float lanes[16];
  vstore16(v, 0, lanes);
  for (int width = 8; width > 0; width /= 2)
    for (int k = 0; k < width; k++) lanes[k] = COMBINE(lanes[k], lanes[k + width]);
  return lanes[0];
}

// Four accumulators hide the latency of an addition.
static inline float reduce_run(__global const float *x, INDEX length) {
  float16 total = (float16)(IDENTITY), rest = (float16)(0.0f);
  INDEX r = 0;
  while (r + 64 <= length) {
    const INDEX end = min(r + 64 * SUM_BLOCK, length);
    float16 s0 = (float16)(IDENTITY), s1 = s0, s2 = s0, s3 = s0;
    for (; r + 64 <= end; r += 64) {
      const float16 v0 = LOAD16(x, r), v1 = LOAD16(x, r + 16), v2 = LOAD16(x, r + 32), v3 = LOAD16(x, r + 48);
      s0 = COMBINE(s0, v0);
      s1 = COMBINE(s1, v1);
      s2 = COMBINE(s2, v2);
      s3 = COMBINE(s3, v3);
    }
    s0 = COMBINE(s0, s1);
    s2 = COMBINE(s2, s3);
    s0 = COMBINE(s0, s2);
    COMBINE_BLOCK(float16, total, rest, s0);
  }
  float16 tail = (float16)(IDENTITY);
  for (; r + 16 <= length; r += 16) {
    const float16 v = LOAD16(x, r);
    tail = COMBINE(tail, v);
  }
  COMBINE_BLOCK(float16, total, rest, tail);
  float sum = reduce_lanes(RESULT(total, rest));
  for (; r < length; r++) {
    const float value = x[r];
    sum = COMBINE(sum, value);
  }
  return sum;
}

#else

#if INNER >= 16
#define LANES 16
typedef float16 vec;
#define LOAD LOAD16
#define STORE(value, pointer) vstore16(value, 0, pointer)
#elif INNER >= 8
#define LANES 8
typedef float8 vec;
#define LOAD LOAD8
#define STORE(value, pointer) vstore8(value, 0, pointer)
#elif INNER >= 4
#define LANES 4
typedef float4 vec;
#define LOAD LOAD4
#define STORE(value, pointer) vstore4(value, 0, pointer)
#else
#define LANES 1
typedef float vec;
#define LOAD LOAD1
#define STORE(value, pointer) (*(pointer) = (value))
#endif

// Columns that one walk over the rows sums; the last walk may overlap the one before.
#define WALK (INNER >= 4 * LANES ? 4 * LANES : INNER >= 2 * LANES ? 2 * LANES : LANES)

// Without it the sums of a walk stay in memory: 2.5 times slower on pocl 3.1.
#define UNROLL __attribute__((opencl_unroll_hint))

#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void FIRST_PASS {
  const INDEX begin = (INDEX)get_global_id(0) * ROWS_PER_ITEM;
  const INDEX end = min(begin + ROWS_PER_ITEM, (INDEX)OUTER * SPLITS);
  for (INDEX row = begin; row < end; row++) {
    const INDEX outer = row / SPLITS, part = row % SPLITS;
    const INDEX first = min(part * PART, (INDEX)REDUCE), last = min(first + PART, (INDEX)REDUCE);
    __global const float *restrict source = x + (outer * REDUCE + first) * INNER;
#if INNER == 1
    const INDEX at = SLOT(outer, part);
    const float v = reduce_run(source, last - first) * FACTOR;
    y[at] = FINAL(float, LOAD1, v, at, outer);
#else
    for (int walk = 0; walk < INNER; walk += WALK) {
      const int column = min(walk, INNER - WALK);
      vec total[WALK / LANES], rest[WALK / LANES];
      UNROLL for (int k = 0; k < WALK / LANES; k++) {
        total[k] = (vec)(IDENTITY);
        rest[k] = (vec)(0.0f);
      }
      for (INDEX start = 0; start < last - first; start += SUM_BLOCK) {
        const INDEX stop = min(start + SUM_BLOCK, last - first);
        vec block[WALK / LANES];
        UNROLL for (int k = 0; k < WALK / LANES; k++) block[k] = (vec)(IDENTITY);
        for (INDEX r = start; r < stop; r++)
          UNROLL for (int k = 0; k < WALK / LANES; k++) {
            const vec value = LOAD(source, r * INNER + column + k * LANES);
            block[k] = COMBINE(block[k], value);
          }
        UNROLL for (int k = 0; k < WALK / LANES; k++) COMBINE_BLOCK(vec, total[k], rest[k], block[k]);
      }
      UNROLL for (int k = 0; k < WALK / LANES; k++) {
        const int channel = column + k * LANES;
        const INDEX at = SLOT(outer, part) + channel;
        const vec v = RESULT(total[k], rest[k]) * FACTOR;
        STORE(FINAL(vec, LOAD, v, at, channel), y + at);
      }
    }
#endif
  }
}

#endif
#endif
