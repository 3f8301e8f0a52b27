// Normalisation of the groups of channels of a sample to mean 0 and variance 1, over several positions, scaled and
// shifted by channel, and its gradients, for CPU-class devices. Follows vector_cpu.cl; the formulas are in
// normalize_rows_cpu.cl.
//
// x is [SAMPLES, POSITIONS, GROUPS, WIDTH]; a group is normalised over POSITIONS and WIDTH. A sample is walked as rows
// of LENGTH elements: a position, or several where there are few channels.
//
// Defines
//   GRADIENTS              0: y, 1: gradients
//   WITH_INPUT, WITH_PARAMETERS           of gradients: 1 for dx, 1 for sums
//   GROUPS, WIDTH
//   LENGTH                 a multiple of GROUPS * WIDTH
//   EPSILON                a float literal
//   VECTOR                 lanes, at most LENGTH
// Entry points
//   normalize_forward(x, gamma, beta, y EPILOGUE_PARAMS, work, SAMPLES, SAMPLES_PER_ITEM, POSITIONS)
//   normalize_gradients(x, gamma, dy, [dx EPILOGUE_PARAMS,] [sums,] work, SAMPLES, SAMPLES_PER_ITEM, POSITIONS)
//     sums: [items, 2, GROUPS * WIDTH], dgamma before dbeta; of one item the result itself, else sum_parts.cl makes it
//     work: [items, 11, LENGTH]
//     The epilogue's channel is a place in the row: where LENGTH is not the channels, it has no such operand.
// Global size [local size]
//   items = ceil(SAMPLES / SAMPLES_PER_ITEM) [1]

#define CHANNELS (GROUPS * WIDTH)
#define UNROLL __attribute__((opencl_unroll_hint))
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
#define STORE1(value, pointer) (*(pointer) = (value))

// Elements whose sums are taken before they are added to longer ones: whole rows.
#define CHUNK (LENGTH >= 4096 ? LENGTH : 4096 / LENGTH * LENGTH)

// BODY(T, LOAD, STORE, c) for vectors of columns, then for those that are left.
#define WALK(length, BODY)                                                       \
  do {                                                                           \
    int c = 0;                                                                   \
    for (; c + VECTOR <= (length); c += VECTOR) BODY(vec, LOAD, STORE, c);       \
    SHORT_LOOP for (; c < (length); c++) BODY(float, LOAD1, STORE1, c);          \
  } while (0)

// Elements first ..< end as rows, of which the last may be short: BODY reads `at`, where a row begins.
#define WALK_ROWS(first, end, BODY)                                              \
  for (INDEX at = first; at < (end); at += LENGTH) WALK((int)min((end) - at, (INDEX)LENGTH), BODY)

// Rows of the work space.
#define MEAN work
#define FACTOR (work + LENGTH)
#define OFFSET (work + 2 * LENGTH)
#define A (work + 3 * LENGTH)
#define B (work + 4 * LENGTH)
#define C (work + 5 * LENGTH)
// Long sums: what they are and what they lost.
#define FIRST (work + 6 * LENGTH)
#define FIRST_REST (work + 7 * LENGTH)
#define SECOND (work + 8 * LENGTH)
#define SECOND_REST (work + 9 * LENGTH)
#define LOW (work + 10 * LENGTH)

// The first channels of a row, laid out over all of it.
static inline void repeat(__global float *row) {
  SHORT_LOOP for (int c = CHANNELS; c < LENGTH; c++) row[c] = row[c - CHANNELS];
}

// Adds the places of a row that are one channel.
static inline void fold(__global float *row) {
  SHORT_LOOP for (int c = CHANNELS; c < LENGTH; c++) row[c % CHANNELS] += row[c];
}

// A = sums of x - MEAN, B = sums of its squares, over elements first ..< end.
static inline void sum_differences(__global const float *restrict x, __global float *restrict work, const INDEX first,
                                   const INDEX end) {
#define CLEAR(T, LOAD, STORE, c) { STORE((T)(0.0f), A + c); STORE((T)(0.0f), B + c); }
  WALK(LENGTH, CLEAR);
#define DIFFER(T, LOAD, STORE, c)                                                \
  {                                                                              \
    const T d = LOAD(x, at + c) - LOAD(MEAN, c);                                 \
    STORE(LOAD(A, c) + d, A + c);                                                \
    STORE(LOAD(B, c) + d * d, B + c);                                            \
  }
  WALK_ROWS(first, end, DIFFER);
  fold(A);
  fold(B);
}

// The statistics of all groups of a sample, in one walk over it: those of chunks are joined (Chan, Golub and LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979). The differences in a chunk are
// from the mean of what came before: where that is far off, it makes up the variance itself.
static inline void find_moments(__global const float *restrict x, __global float *restrict work, const INDEX count) {
  SHORT_LOOP for (int c = 0; c < LENGTH; c++) MEAN[c] = LOW[c] = SECOND[c] = SECOND_REST[c] = 0.0f;
  // The first chunk is walked twice, the first time for its mean.
  for (INDEX first = -CHUNK; first < count; first += CHUNK) {
    const INDEX begin = max(first, (INDEX)0), end = min(begin + CHUNK, count);
    sum_differences(x, work, begin, end);
    const float weight = (float)(end - begin) / GROUPS, before = (float)begin / GROUPS;
    for (int g = 0; g < GROUPS; g++) {
      float sum = 0.0f, square = 0.0f;
      SHORT_LOOP for (int c = g * WIDTH; c < (g + 1) * WIDTH; c++) {
        sum += A[c];
        square += B[c];
      }
      // The mean of the chunk from MEAN on, and from the mean so far on, of which LOW is the second part.
      const float mean = MEAN[g * WIDTH], offset = sum / weight, away = offset - LOW[g];
      float low = offset;
      if (first >= 0) {
        if (begin > 0) low = LOW[g] + away * (weight / (before + weight));
        float part = square - offset * sum;
        if (begin > 0) part += away * away * (before * (weight / (before + weight)));
        ADD_BLOCK(float, SECOND[g], SECOND_REST[g], part);
      }
      const float near = mean + low;
      LOW[g] = low - (near - mean);
      SHORT_LOOP for (int c = g * WIDTH; c < (g + 1) * WIDTH; c++) MEAN[c] = near;
    }
    repeat(MEAN);
  }
  for (int g = 0; g < GROUPS; g++) {
    const float variance = BLOCK_SUM(SECOND[g], SECOND_REST[g]) / ((float)count / GROUPS);
    const float factor = 1.0f / sqrt((variance < 0.0f ? 0.0f : variance) + EPSILON);
    SHORT_LOOP for (int c = g * WIDTH; c < (g + 1) * WIDTH; c++) {
      FACTOR[c] = factor;
      OFFSET[c] = -LOW[g] * factor;
    }
  }
}

#if WITH_INPUT
#define RESULT , __global float *restrict dx EPILOGUE_PARAMS
#else
#define RESULT
#endif
#if WITH_PARAMETERS
#define SUMS , __global float *restrict sums
#else
#define SUMS
#endif
#define SIZES , __global float *restrict all_work, const INDEX SAMPLES, const INDEX SAMPLES_PER_ITEM, \
              const INDEX POSITIONS
#define MY_SAMPLES                                                               \
  const INDEX item = get_global_id(0), begin_sample = item * SAMPLES_PER_ITEM;   \
  const INDEX end_sample = min(begin_sample + SAMPLES_PER_ITEM, SAMPLES);        \
  const INDEX count = POSITIONS * CHANNELS;                                      \
  __global float *restrict work = all_work + item * 11 * LENGTH;

#if !GRADIENTS

KERNEL normalize_forward(__global const float *restrict x, __global const float *restrict gamma,
                 __global const float *restrict beta, __global float *restrict y EPILOGUE_PARAMS SIZES) {
  MY_SAMPLES
  for (INDEX sample = begin_sample; sample < end_sample; sample++) {
    const INDEX first = sample * count;
    find_moments(x + first, work, count);
    SHORT_LOOP for (int c = 0; c < CHANNELS; c++) {
      OFFSET[c] = OFFSET[c] * gamma[c] + beta[c];
      FACTOR[c] *= gamma[c];
    }
    repeat(FACTOR);
    repeat(OFFSET);
#define SCALE(T, LOAD, STORE, c)                                                                   \
  {                                                                                                \
    const T v = (LOAD(x, at + c) - LOAD(MEAN, c)) * LOAD(FACTOR, c) + LOAD(OFFSET, c);             \
    STORE(EPILOGUE(T, LOAD, v, at + c, c), y + at + c);                                   \
  }
    WALK_ROWS(first, first + count, SCALE);
  }
}

#else

KERNEL normalize_gradients(__global const float *restrict x, __global const float *restrict gamma,
                           __global const float *restrict dy RESULT SUMS SIZES) {
  MY_SAMPLES
#if WITH_PARAMETERS
  __global float *restrict dgamma = sums + item * 2 * CHANNELS, *restrict dbeta = dgamma + CHANNELS;
  for (int c = 0; c < 2 * CHANNELS; c++) dgamma[c] = 0.0f;
#endif
  for (INDEX sample = begin_sample; sample < end_sample; sample++) {
    const INDEX sample_first = sample * count;
    find_moments(x + sample_first, work, count);
    repeat(FACTOR);
    repeat(OFFSET);
    SHORT_LOOP for (int c = 0; c < CHANNELS; c++) FIRST[c] = FIRST_REST[c] = SECOND[c] = SECOND_REST[c] = 0.0f;
    for (INDEX first = sample_first; first < sample_first + count; first += CHUNK) {
      const INDEX end = min(first + CHUNK, sample_first + count);
      WALK(LENGTH, CLEAR);
#define MULTIPLY(T, LOAD, STORE, c)                                                                \
  {                                                                                                \
    const T d = LOAD(dy, at + c);                                                                  \
    const T n = (LOAD(x, at + c) - LOAD(MEAN, c)) * LOAD(FACTOR, c) + LOAD(OFFSET, c);             \
    STORE(LOAD(A, c) + d * n, A + c);                                                              \
    STORE(LOAD(B, c) + d, B + c);                                                                  \
  }
      WALK_ROWS(first, end, MULTIPLY);
      fold(A);
      fold(B);
#define ADD(T, LOAD, STORE, c)                                                                     \
  {                                                                                                \
    T first_sum = LOAD(FIRST, c), first_rest = LOAD(FIRST_REST, c);                                \
    T second_sum = LOAD(SECOND, c), second_rest = LOAD(SECOND_REST, c);                            \
    ADD_BLOCK(T, first_sum, first_rest, LOAD(A, c));                                               \
    ADD_BLOCK(T, second_sum, second_rest, LOAD(B, c));                                             \
    STORE(first_sum, FIRST + c);                                                                   \
    STORE(first_rest, FIRST_REST + c);                                                             \
    STORE(second_sum, SECOND + c);                                                                 \
    STORE(second_rest, SECOND_REST + c);                                                           \
  }
      WALK(CHANNELS, ADD);
    }
    SHORT_LOOP for (int c = 0; c < CHANNELS; c++) {
      FIRST[c] = BLOCK_SUM(FIRST[c], FIRST_REST[c]);
      SECOND[c] = BLOCK_SUM(SECOND[c], SECOND_REST[c]);
#if WITH_PARAMETERS
      dgamma[c] += FIRST[c];
      dbeta[c] += SECOND[c];
#endif
    }
#if WITH_INPUT
    // dx = dy * A + (x - MEAN) * B + C
    for (int g = 0; g < GROUPS; g++) {
      float mean = 0.0f, slope = 0.0f;
      SHORT_LOOP for (int c = g * WIDTH; c < (g + 1) * WIDTH; c++) {
        mean += gamma[c] * SECOND[c];
        slope += gamma[c] * FIRST[c];
      }
      mean /= (float)count / GROUPS;
      slope /= (float)count / GROUPS;
      SHORT_LOOP for (int c = g * WIDTH; c < (g + 1) * WIDTH; c++) {
        A[c] = FACTOR[c] * gamma[c];
        B[c] = -(FACTOR[c] * FACTOR[c] * slope);
        C[c] = -FACTOR[c] * (mean + OFFSET[c] * slope);
      }
    }
    repeat(A);
    repeat(B);
    repeat(C);
#define COMBINE(T, LOAD, STORE, c)                                                                 \
  {                                                                                                \
    const T v = LOAD(dy, at + c) * LOAD(A, c) + ((LOAD(x, at + c) - LOAD(MEAN, c)) * LOAD(B, c) + LOAD(C, c)); \
    STORE(EPILOGUE(T, LOAD, v, at + c, c), dx + at + c);                                  \
  }
    WALK_ROWS(sample_first, sample_first + count, COMBINE);
#endif
  }
}

#endif
