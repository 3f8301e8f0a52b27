// Softmax, log-softmax and softmax cross-entropy over the rows of [ROWS, COLUMNS], and the cross-entropy's gradient.
// Follows group_tree.cl if GPU-class.
//
// With m = max_c x[c] and s = sum_c exp(x[c] - m), per row:
//   softmax[c] = exp(x[c] - m) / s       log_softmax[c] = x[c] - m - log(s)
//   loss = sum_c t[c] * (log(s) - (x[c] - m))            dx[c] = (softmax[c] * sum(t) - t[c]) * dloss
//   t[c] = (1 - SMOOTHING) * label[c] + SMOOTHING / COLUMNS, where a sparse label is the index of a one-hot row
//
// Defines
//   SOFTMAX_FORWARD, SOFTMAX_LOG, SOFTMAX_CROSS_ENTROPY or SOFTMAX_CROSS_ENTROPY_GRADIENT   1: the entry point that
//                   the program holds
//   GPU_CLASS       0 or 1
//   ROWS, COLUMNS
//   DENSE_LABELS    cross-entropy only. 0: int [ROWS], 1: float [ROWS, COLUMNS]
//   SMOOTHING       cross-entropy only. A float literal in [0, 1), default 0.0f
//   ROWS_PER_ITEM   GPU_CLASS 0: rows per work-item, default 1; more where the rows are many and short
//   GROUP, LANES    GPU_CLASS 1: local size, and the work-items that share a row; powers of two, LANES <= GROUP
// Entry points
//   softmax_forward(x, y EPILOGUE_PARAMS)
//   softmax_log(x, y EPILOGUE_PARAMS)
//   softmax_cross_entropy(x, labels, loss)                              loss: [ROWS]
//   softmax_cross_entropy_gradient(x, labels, dloss, dx EPILOGUE_PARAMS)        dloss: [ROWS]
// Global size [local size], all entry points
//   GPU_CLASS 0: ceil(ROWS / ROWS_PER_ITEM) [1];  GPU_CLASS 1: ceil(ROWS / (GROUP / LANES)) * GROUP [GROUP]
//   A good LANES: the power of two not below COLUMNS / 4, within 4...GROUP.
//
// A sparse label outside 0..<COLUMNS makes the row's loss and gradient NaN, so that it cannot pass unseen; the host
// checks labels before it uploads them. A logit of -infinity has probability 0; with dense labels or smoothing its
// term of the loss is NaN even where its target is 0.

#ifndef SMOOTHING
#define SMOOTHING 0.0f
#endif
#ifndef ROWS_PER_ITEM
#define ROWS_PER_ITEM 1
#endif

// A row is walked in blocks of WIDTH columns, shared by LANES work-items.
#if GPU_CLASS

#define WIDTH 1
typedef float vec;
typedef int mask;
#define IOTA 0
#define LOAD LOAD1
#define STORE(value, pointer) (*(pointer) = (value))

#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
// Work-items past the last row repeat it, so that all of a group meet at the barriers.
#define FOR_ROW(row, real) \
  __local float scratch[GROUP]; \
  const int lane = get_local_id(0) % LANES; \
  const int asked = get_group_id(0) * (GROUP / LANES) + get_local_id(0) / LANES; \
  const bool real = asked < ROWS; \
  const int row = min(asked, ROWS - 1);

#define ADD(a, b) ((a) + (b))
GROUP_TREE(softmax_tree_max, fmax)
GROUP_TREE(softmax_tree_sum, ADD)
#define ROW_MAX(v) softmax_tree_max(v, scratch, LANES, 1)
#define ROW_SUM(v) softmax_tree_sum(v, scratch, LANES, 1)

#else

#define WIDTH 16
#define LANES 1
typedef float16 vec;
typedef int16 mask;
#define IOTA ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define LOAD LOAD16
#define STORE(value, pointer) vstore16(value, 0, pointer)

#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define FOR_ROW(row, real) \
  const int lane = 0, begin = get_global_id(0) * ROWS_PER_ITEM; \
  const bool real = true; \
  for (int row = begin; row < min(begin + ROWS_PER_ITEM, ROWS); row++)

static inline float softmax_lanes_max(vec v) {
  float a[16];
  vstore16(v, 0, a);
  for (int width = 8; width > 0; width /= 2)
    for (int k = 0; k < width; k++) a[k] = fmax(a[k], a[k + width]);
  return a[0];
}

static inline float softmax_lanes_sum(vec v) {
  float a[16];
  vstore16(v, 0, a);
  for (int width = 8; width > 0; width /= 2)
    for (int k = 0; k < width; k++) a[k] += a[k + width];
  return a[0];
}
#define ROW_MAX(v) softmax_lanes_max(v)
#define ROW_SUM(v) softmax_lanes_sum(v)

#endif

#define FOR_BLOCK(c) for (int c = lane * WIDTH; c < COLUMNS; c += LANES * WIDTH)

// The block at column c of a row; columns past the end read as `fill`.
static inline vec softmax_block(__global const float *row, int c, float fill) {
#if WIDTH == 1
  return row[c];
#else
  if (c + WIDTH <= COLUMNS) return LOAD(row, c);
  float tail[WIDTH];
  for (int k = 0; k < WIDTH; k++) tail[k] = c + k < COLUMNS ? row[c + k] : fill;
  return vload16(0, tail);
#endif
}

// y[row, c...] = the epilogue of v.
#if WIDTH == 1
#define WRITE(y, row, c, v) y[(INDEX)row * COLUMNS + c] = EPILOGUE(float, LOAD1, v, (INDEX)row * COLUMNS + c, c)
#else
#define WRITE(y, row, c, v) \
  do { \
    const INDEX at = (INDEX)row * COLUMNS + c; \
    if (c + WIDTH <= COLUMNS) { \
      STORE(EPILOGUE(vec, LOAD, v, at, c), y + at); \
    } else { \
      float tail[WIDTH]; \
      vstore16(v, 0, tail); \
      for (int k = 0; k < COLUMNS % WIDTH; k++) y[at + k] = EPILOGUE(float, LOAD1, tail[k], at + k, c + k); \
    } \
  } while (0)
#endif

#define ROW_MAXIMUM(m, x) \
  vec m##_block = (vec)(-INFINITY); \
  FOR_BLOCK(c) m##_block = fmax(m##_block, softmax_block(x, c, -INFINITY)); \
  const float m = ROW_MAX(m##_block);

// s = the sum over a row of `terms`, an expression of the column c.
#define ROW_TOTAL(s, terms) \
  vec s##_total = (vec)(0.0f), s##_rest = (vec)(0.0f); \
  for (int first = lane * WIDTH; first < COLUMNS; first += SUM_BLOCK * LANES * WIDTH) { \
    const int end = min(first + SUM_BLOCK * LANES * WIDTH, COLUMNS); \
    vec block = (vec)(0.0f); \
    for (int c = first; c < end; c += LANES * WIDTH) block += terms; \
    ADD_BLOCK(vec, s##_total, s##_rest, block); \
  } \
  const float s = ROW_SUM(BLOCK_SUM(s##_total, s##_rest));

#define ROW_EXP_SUM(s, x, m) ROW_TOTAL(s, exp(softmax_block(x, c, -INFINITY) - m))

#if SOFTMAX_FORWARD
KERNEL void softmax_forward(__global const float *restrict x, __global float *restrict y EPILOGUE_PARAMS) {
  FOR_ROW(row, real) {
    __global const float *restrict logits = x + (INDEX)row * COLUMNS;
    ROW_MAXIMUM(m, logits)
    ROW_EXP_SUM(s, logits, m)
    const float scale = 1.0f / s;
    if (real) FOR_BLOCK(c) {
      const vec v = exp(softmax_block(logits, c, -INFINITY) - m) * scale;
      WRITE(y, row, c, v);
    }
  }
}
#endif

#if SOFTMAX_LOG
KERNEL void softmax_log(__global const float *restrict x, __global float *restrict y EPILOGUE_PARAMS) {
  FOR_ROW(row, real) {
    __global const float *restrict logits = x + (INDEX)row * COLUMNS;
    ROW_MAXIMUM(m, logits)
    ROW_EXP_SUM(s, logits, m)
    const float shift = log(s);
    if (real) FOR_BLOCK(c) {
      const vec v = softmax_block(logits, c, m) - m - shift;
      WRITE(y, row, c, v);
    }
  }
}
#endif

#if SOFTMAX_CROSS_ENTROPY || SOFTMAX_CROSS_ENTROPY_GRADIENT

#if DENSE_LABELS
typedef float label_type;
#define VALID(label) 1.0f
#define TERM(target, cost) ((target) * (cost))

// Columns past the end have target 0.
static inline vec softmax_target(__global const float *labels, int row, int c) {
  const vec share = select((vec)(0.0f), (vec)(SMOOTHING / COLUMNS), (mask)(c) + IOTA < (mask)(COLUMNS));
  return softmax_block(labels + (INDEX)row * COLUMNS, c, 0.0f) * (1.0f - SMOOTHING) + share;
}
#else
typedef int label_type;
#define VALID(label) ((label) >= 0 && (label) < COLUMNS ? 1.0f : NAN)
// A one-hot row looks at its label's logit alone, so that -infinity elsewhere is no NaN.
#define TERM(target, cost) (SMOOTHING > 0.0f ? (target) * (cost) : select((vec)(0.0f), cost, (target) > 0.0f))

static inline vec softmax_target(__global const int *labels, int row, int c) {
  const mask column = (mask)(c) + IOTA;
  const vec share = select((vec)(0.0f), (vec)(SMOOTHING / COLUMNS), column < (mask)(COLUMNS));
  return select((vec)(0.0f), (vec)(1.0f - SMOOTHING), column == (mask)(labels[row])) + share;
}
#endif

#if SOFTMAX_CROSS_ENTROPY
KERNEL void softmax_cross_entropy(__global const float *restrict x, __global const label_type *restrict labels,
                                  __global float *restrict loss) {
  FOR_ROW(row, real) {
    __global const float *restrict logits = x + (INDEX)row * COLUMNS;
    ROW_MAXIMUM(m, logits)
    ROW_EXP_SUM(s, logits, m)
    const float log_s = log(s);
    ROW_TOTAL(cost, TERM(softmax_target(labels, row, c), log_s - (softmax_block(logits, c, m) - m)))
    if (real && lane == 0) loss[row] = cost * VALID(labels[row]);
  }
}
#endif

#if SOFTMAX_CROSS_ENTROPY_GRADIENT
KERNEL void softmax_cross_entropy_gradient(__global const float *restrict x, __global const label_type *restrict labels,
                                           __global const float *restrict dloss,
                                           __global float *restrict dx EPILOGUE_PARAMS) {
  FOR_ROW(row, real) {
    __global const float *restrict logits = x + (INDEX)row * COLUMNS;
    ROW_MAXIMUM(m, logits)
    ROW_EXP_SUM(s, logits, m)
#if DENSE_LABELS
    ROW_TOTAL(targets, softmax_target(labels, row, c))
    const float scale = targets / s;
#else
    const float scale = 1.0f / s;
#endif
    const float factor = dloss[row] * VALID(labels[row]);
    if (real) FOR_BLOCK(c) {
      const vec v = (exp(softmax_block(logits, c, -INFINITY) - m) * scale - softmax_target(labels, row, c)) * factor;
      WRITE(dx, row, c, v);
    }
  }
}
#endif

#endif
