// Normalisation of groups to mean 0 and variance 1, scaled and shifted by channel, and its gradients, for GPU-class
// devices. The formulas are in normalize_rows_cpu.cl. Follows group_tree.cl.
//
// x is [SAMPLES, POSITIONS, GROUPS, WIDTH]; a group is normalised over POSITIONS and WIDTH. LANES work-items share one.
//
// Defines
//   GRADIENTS            0: normalize, 1: the gradients
//   WITH_INPUT           of gradients: 1 for dx, 0 for the moments alone
//   WITH_PARAMETERS      of gradients: 1 for the moments, and the sums that are made from them
//   GROUP, LANES         local size and the work-items of a group, powers of two, LANES <= GROUP
//   COLUMNS              channels of a work-group of normalize_sums, a power of two, at most GROUP
// Parameters
//   EPSILON comes by value
// Entry points
//   normalize_forward(x, gamma, beta, y EPILOGUE_PARAMS, SAMPLES, POSITIONS, GROUPS, WIDTH, EPSILON)
//   normalize_gradients(x, gamma, dy, [dx EPILOGUE_PARAMS,] [work,] SAMPLES, POSITIONS, GROUPS, WIDTH, SPLITS, EPSILON)
//   normalize_sums(x, dy, work, sums, SAMPLES, POSITIONS, GROUPS, WIDTH, SPLITS)
//     sums: [SPLITS, 2, GROUPS * WIDTH], dgamma before dbeta; the result itself if SPLITS is 1, else the beginning of
//     work, and sum_parts.cl makes the result. The rows, SAMPLES * POSITIONS, are cut into SPLITS parts.
//     work: room for the sums if SPLITS is not 1, then moments, [SAMPLES, GROUPS, 3]: mean, factor and offset of
//     n = (x - mean) * factor + offset
// Global size [local size]
//   normalize_forward, normalize_gradients: ceil(SAMPLES * GROUPS / (GROUP / LANES)) * GROUP [GROUP]
//   normalize_sums: SPLITS * ceil(GROUPS * WIDTH / COLUMNS) * GROUP [GROUP]

#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

#define ADD(a, b) ((a) + (b))
GROUP_TREE(group_sum, ADD)

// Sums of two expressions of element `at` and channel `channel` over a group.
#define GROUP_SUMS(a, b, TERM_A, TERM_B)                                                           \
  float a, b;                                                                                      \
  do {                                                                                             \
    float total_a = 0.0f, rest_a = 0.0f, total_b = 0.0f, rest_b = 0.0f;                            \
    for (INDEX start = lane; start < count; start += SUM_BLOCK * LANES) {                          \
      float block_a = 0.0f, block_b = 0.0f;                                                        \
      const INDEX end = min(start + SUM_BLOCK * LANES, count);                                     \
      for (INDEX i = start; i < end; i += LANES) {                                                 \
        const INDEX channel = first_channel + i % WIDTH;                                           \
        const INDEX at = first + i / WIDTH * channels + channel;                                   \
        block_a += TERM_A;                                                                         \
        block_b += TERM_B;                                                                         \
      }                                                                                            \
      ADD_BLOCK(float, total_a, rest_a, block_a);                                                  \
      ADD_BLOCK(float, total_b, rest_b, block_b);                                                  \
    }                                                                                              \
    a = group_sum(BLOCK_SUM(total_a, rest_a), shared, LANES, 1);                                 \
    b = group_sum(BLOCK_SUM(total_b, rest_b), shared, LANES, 1);                                 \
  } while (0)

// Work-items past the last group repeat it, so that all meet at the barriers.
#define MY_GROUP                                                                                   \
  __local float shared[GROUP];                                                                     \
  const int lane = get_local_id(0) % LANES;                                                        \
  const INDEX asked = (INDEX)get_group_id(0) * (GROUP / LANES) + get_local_id(0) / LANES;          \
  const bool real = asked < SAMPLES * GROUPS;                                                      \
  const INDEX number = min(asked, SAMPLES * GROUPS - 1);                                           \
  const INDEX channels = GROUPS * WIDTH, count = POSITIONS * WIDTH;                                \
  const INDEX first = number / GROUPS * POSITIONS * channels, first_channel = number % GROUPS * WIDTH;

#define FIND_MOMENTS                                                                               \
  GROUP_SUMS(sum, nothing, x[at], 0.0f);                                                           \
  const float mean = sum / count;                                                                  \
  GROUP_SUMS(differences, squares, x[at] - mean, (x[at] - mean) * (x[at] - mean));                 \
  const float away = differences / count, variance = squares / count - away * away;                \
  const float factor = 1.0f / sqrt((variance < 0.0f ? 0.0f : variance) + EPSILON);                 \
  const float offset = -away * factor;

#define NORMALIZED(at) ((x[at] - mean) * factor + offset)
#define MOMENTS(work) ((work) + (SPLITS == 1 ? 0 : SPLITS * 2 * channels))
#define SIZES , const INDEX SAMPLES, const INDEX POSITIONS, const INDEX GROUPS, const INDEX WIDTH

#if !GRADIENTS

KERNEL normalize_forward(__global const float *restrict x, __global const float *restrict gamma,
                 __global const float *restrict beta, __global float *restrict y EPILOGUE_PARAMS SIZES,
                 const float EPSILON) {
  MY_GROUP
  FIND_MOMENTS
  if (real) for (INDEX i = lane; i < count; i += LANES) {
    const INDEX channel = first_channel + i % WIDTH, at = first + i / WIDTH * channels + channel;
    const float v = NORMALIZED(at) * gamma[channel] + beta[channel];
    y[at] = EPILOGUE(float, LOAD1, v, at, channel);
  }
}

#else

#if WITH_INPUT
#define RESULT , __global float *restrict dx EPILOGUE_PARAMS
#else
#define RESULT
#endif
#if WITH_PARAMETERS
#define WORK , __global float *restrict work
#else
#define WORK
#endif

KERNEL normalize_gradients(__global const float *restrict x, __global const float *restrict gamma,
                           __global const float *restrict dy RESULT WORK SIZES, const INDEX SPLITS,
                           const float EPSILON) {
  MY_GROUP
  FIND_MOMENTS
#if WITH_PARAMETERS
  __global float *restrict moments = MOMENTS(work);
  if (real && lane == 0) {
    moments[number * 3] = mean;
    moments[number * 3 + 1] = factor;
    moments[number * 3 + 2] = offset;
  }
#endif
#if WITH_INPUT
  GROUP_SUMS(total, product, dy[at] * gamma[channel], dy[at] * gamma[channel] * NORMALIZED(at));
  const float gradient = total / count, slope = product / count;
  if (real) for (INDEX i = lane; i < count; i += LANES) {
    const INDEX channel = first_channel + i % WIDTH, at = first + i / WIDTH * channels + channel;
    const float v = (dy[at] * gamma[channel] - gradient - NORMALIZED(at) * slope) * factor;
    dx[at] = EPILOGUE(float, LOAD1, v, at, channel);
  }
#endif
}

#if WITH_PARAMETERS
KERNEL normalize_sums(__global const float *restrict x, __global const float *restrict dy,
                      __global const float *restrict work, __global float *restrict sums SIZES,
                      const INDEX SPLITS) {
  __local float shared[GROUP];
  // GROUP / COLUMNS work-items share a channel; neighbours read neighbouring channels.
  const int item = get_local_id(0), lane = item / COLUMNS;
  const INDEX channels = GROUPS * WIDTH, rows = SAMPLES * POSITIONS;
  __global const float *restrict moments = MOMENTS(work);
  const INDEX tiles = (channels + COLUMNS - 1) / COLUMNS, size = (rows + SPLITS - 1) / SPLITS;
  const INDEX part = get_group_id(0) / tiles, channel = get_group_id(0) % tiles * COLUMNS + item % COLUMNS;
  float totals[2] = {0.0f, 0.0f}, rests[2] = {0.0f, 0.0f};
  if (channel < channels) {
    const INDEX last = min((part + 1) * size, rows);
    for (INDEX first = part * size + lane; first < last; first += SUM_BLOCK * (GROUP / COLUMNS)) {
      const INDEX end = min(first + SUM_BLOCK * (GROUP / COLUMNS), last);
      float product = 0.0f, gradient = 0.0f;
      for (INDEX row = first; row < end; row += GROUP / COLUMNS) {
        const INDEX m = (row / POSITIONS * GROUPS + channel / WIDTH) * 3, at = row * channels + channel;
        product += dy[at] * ((x[at] - moments[m]) * moments[m + 1] + moments[m + 2]);
        gradient += dy[at];
      }
      ADD_BLOCK(float, totals[0], rests[0], product);
      ADD_BLOCK(float, totals[1], rests[1], gradient);
    }
  }
  for (int k = 0; k < 2; k++) {
    const float sum = group_sum(BLOCK_SUM(totals[k], rests[k]), shared, GROUP / COLUMNS, COLUMNS);
    if (lane == 0 && channel < channels) sums[(part * 2 + k) * channels + channel] = sum;
  }
}
#endif

#endif
