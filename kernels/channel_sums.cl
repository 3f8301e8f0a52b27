// Sums of expressions over all rows of a [ROWS, CHANNELS] view; the expressions are generated. Follows vector_cpu.cl if
// CPU-class, group_tree.cl if GPU-class. Fixed order, no atomics.
//
// Defines
//   GPU_CLASS        0 or 1
//   SUMS             number of expressions
//   VECTOR, WALK_V   GPU_CLASS 0: lanes (1, 4, 8, 16), and vectors of channels that one walk over the rows adds up (the
//                    last walk may overlap the one before); their product is at most CHANNELS
//   GROUP, LANES     GPU_CLASS 1: local size and the channels of a group, powers of two, LANES <= GROUP
//   PARAMETERS       of the kernel: pointers to the inputs, each followed by a comma
//   TERMS(T, LOAD, index, channel, ADD)   statements that end in an ADD(k, value) for each expression k; T is float or
//                    a vector, LOAD loads one, index is the element of the rows, channel that of the operands of a row
//   SAMPLED_ROWS, SAMPLED_BLOCK   the rows are a sample: the first SAMPLED_ROWS of every SAMPLED_BLOCK of the inputs
// Entry point
//   channel_sums(PARAMETERS sums, ROWS, CHANNELS, SPLITS)
//     SPLITS: parts into which the rows are cut, 1 <= SPLITS <= ROWS
//     sums: [SPLITS, SUMS, CHANNELS]; the result itself if SPLITS is 1, else sum_parts.cl makes it
//     GPU_CLASS 0: SPLITS [1]
//     GPU_CLASS 1: SPLITS * ceil(CHANNELS / LANES) * GROUP [GROUP]

#define PART ((ROWS + SPLITS - 1) / SPLITS)

// A few terms are added first, then those sums, then blocks of them: variances, which are differences, gain a digit.
#define FEW 16
#define BLOCK (FEW * 16)

#ifdef SAMPLED_ROWS
#define INPUT_ROW(row) ((row) / SAMPLED_ROWS * SAMPLED_BLOCK + (row) % SAMPLED_ROWS)
#else
#define INPUT_ROW(row) (row)
#endif

#if GPU_CLASS

#define PLUS(a, b) ((a) + (b))
GROUP_TREE(channel_tree, PLUS)

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void channel_sums(PARAMETERS __global float *restrict sums, const INDEX ROWS, const INDEX CHANNELS,
                  const INDEX SPLITS) {
  __local float shared[GROUP];
  // GROUP / LANES work-items share a channel; neighbours read neighbouring channels.
  const int item = get_local_id(0), lane = item / LANES;
  const int tiles = (CHANNELS + LANES - 1) / LANES;
  const int part = get_group_id(0) / tiles, channel = get_group_id(0) % tiles * LANES + item % LANES;
  float total[SUMS], rest[SUMS];
  for (int k = 0; k < SUMS; k++) total[k] = rest[k] = 0.0f;
  if (channel < CHANNELS) {
    const INDEX last = min((INDEX)(part + 1) * PART, ROWS);
    for (INDEX first = (INDEX)part * PART + lane; first < last; first += BLOCK * (GROUP / LANES)) {
      const INDEX end = min(first + BLOCK * (GROUP / LANES), last);
      float block[SUMS];
      for (int k = 0; k < SUMS; k++) block[k] = 0.0f;
      for (INDEX start = first; start < end; start += FEW * (GROUP / LANES)) {
        float few[SUMS];
        for (int k = 0; k < SUMS; k++) few[k] = 0.0f;
        for (INDEX row = start; row < min(start + FEW * (GROUP / LANES), end); row += GROUP / LANES) {
          const INDEX index = INPUT_ROW(row) * CHANNELS + channel;
#define ADD(k, value) few[k] += (value)
          TERMS(float, LOAD1, index, channel, ADD)
#undef ADD
        }
        for (int k = 0; k < SUMS; k++) block[k] += few[k];
      }
      for (int k = 0; k < SUMS; k++) ADD_BLOCK(float, total[k], rest[k], block[k]);
    }
  }
  for (int k = 0; k < SUMS; k++) {
    const float sum = channel_tree(BLOCK_SUM(total[k], rest[k]), shared, GROUP / LANES, LANES);
    if (lane == 0 && channel < CHANNELS) sums[((INDEX)part * SUMS + k) * CHANNELS + channel] = sum;
  }
}

#else

// Without it the sums of a walk stay in memory.
#define UNROLL __attribute__((opencl_unroll_hint))

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void channel_sums(PARAMETERS __global float *restrict sums, const INDEX ROWS, const INDEX CHANNELS,
                  const INDEX SPLITS) {
  const INDEX part = get_global_id(0);
  const INDEX first = min(part * PART, ROWS), last = min(first + PART, ROWS);
  for (int walk = 0; walk < CHANNELS; walk += WALK_V * VECTOR) {
    const int first_channel = min(walk, (int)CHANNELS - WALK_V * VECTOR);
    vec total[SUMS][WALK_V], rest[SUMS][WALK_V];
    UNROLL for (int k = 0; k < SUMS; k++)
      UNROLL for (int v = 0; v < WALK_V; v++) total[k][v] = rest[k][v] = (vec)(0.0f);
    for (INDEX start = first; start < last; start += BLOCK) {
      const INDEX end = min(start + BLOCK, last);
      vec block[SUMS][WALK_V];
      UNROLL for (int k = 0; k < SUMS; k++)
        UNROLL for (int v = 0; v < WALK_V; v++) block[k][v] = (vec)(0.0f);
      for (INDEX few_start = start; few_start < end; few_start += FEW) {
        const INDEX few_end = min(few_start + FEW, end);
        vec few[SUMS][WALK_V];
        UNROLL for (int k = 0; k < SUMS; k++)
          UNROLL for (int v = 0; v < WALK_V; v++) few[k][v] = (vec)(0.0f);
        for (INDEX row = few_start; row < few_end; row++)
          UNROLL for (int v = 0; v < WALK_V; v++) {
            const int channel = first_channel + v * VECTOR;
            const INDEX index = INPUT_ROW(row) * CHANNELS + channel;
#define ADD(k, value) few[k][v] += (value)
            TERMS(vec, LOAD, index, channel, ADD)
#undef ADD
          }
        UNROLL for (int k = 0; k < SUMS; k++)
          UNROLL for (int v = 0; v < WALK_V; v++) block[k][v] += few[k][v];
      }
      UNROLL for (int k = 0; k < SUMS; k++)
        UNROLL for (int v = 0; v < WALK_V; v++) ADD_BLOCK(vec, total[k][v], rest[k][v], block[k][v]);
    }
    UNROLL for (int k = 0; k < SUMS; k++)
      UNROLL for (int v = 0; v < WALK_V; v++)
        STORE(BLOCK_SUM(total[k][v], rest[k][v]),
              sums + (part * SUMS + k) * CHANNELS + first_channel + v * VECTOR);
  }
}

#endif
