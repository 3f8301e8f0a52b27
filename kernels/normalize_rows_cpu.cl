// Normalisation of rows to mean 0 and variance 1, scaled and shifted by channel, and its gradients, for CPU-class
// devices. Follows vector_cpu.cl; normalize_samples_cpu.cl has groups of several positions.
//
// x is [SAMPLES, GROUPS, WIDTH], and each row of WIDTH is normalised:
//   n = (x - mean) / sqrt(variance + EPSILON)       y = n * gamma + beta
//   dx = (dy * gamma - mean(dy * gamma) - n * mean(dy * gamma * n)) / sqrt(variance + EPSILON)
//   dgamma = sum of dy * n over the samples, dbeta = sum of dy
// A mean is held in two parts, n = (x - mean) * factor + offset, for where it is large beside the deviation.
//
// Defines
//   GRADIENTS              0: y, 1: gradients
//   WITH_INPUT, WITH_PARAMETERS           of gradients: 1 for dx, 1 for sums
//   GROUPS, WIDTH
//   EPSILON                a float literal
//   VECTOR                 lanes, at most WIDTH
// Entry points
//   normalize_forward(x, gamma, beta, y EPILOGUE_PARAMS, SAMPLES, SAMPLES_PER_ITEM)
//   normalize_gradients(x, gamma, dy, [dx EPILOGUE_PARAMS,] [sums,] SAMPLES, SAMPLES_PER_ITEM)
//     sums: [items, 2, GROUPS * WIDTH], dgamma before dbeta; of one item the result itself, else sum_parts.cl makes it
// Global size [local size]
//   items = ceil(SAMPLES / SAMPLES_PER_ITEM) [1]

#define CHANNELS (GROUPS * WIDTH)
#define UNROLL __attribute__((opencl_unroll_hint))
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void

#define SIZES , const INDEX SAMPLES, const INDEX SAMPLES_PER_ITEM
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

#define MY_SAMPLES \
  const INDEX item = get_global_id(0), first_sample = item * SAMPLES_PER_ITEM; \
  const INDEX end_sample = min(first_sample + SAMPLES_PER_ITEM, SAMPLES);

#define STORE1(value, pointer) (*(pointer) = (value))

// BODY(T, LOAD, STORE, c) for vectors of columns, then for those that are left.
#define WALK(begin, end, BODY)                                                   \
  do {                                                                           \
    int c = (begin);                                                             \
    for (; c + VECTOR <= (end); c += VECTOR) BODY(vec, LOAD, STORE, c);          \
    SHORT_LOOP for (; c < (end); c++) BODY(float, LOAD1, STORE1, c);             \
  } while (0)

typedef struct {
  float mean, factor, offset;
} moments;

#define FULL (WIDTH / VECTOR * VECTOR)
#define PIECE (SUM_BLOCK * VECTOR)
#define PANEL 32

ALWAYS_INLINE float lane_sum(const vec v) {
  const float *lanes = (const float *)&v;
  float parts[VECTOR];
  UNROLL for (int k = 0; k < VECTOR; k++) parts[k] = lanes[k];
  UNROLL for (int width = VECTOR / 2; width > 0; width /= 2)
    UNROLL for (int k = 0; k < width; k++) parts[k] += parts[k + width];
  return parts[0];
}

// Sums of two expressions of c over a row.
#define ROW_SUMS(a, b, A, B)                                                     \
  float a, b;                                                                    \
  do {                                                                           \
    vec total_a = (vec)(0.0f), rest_a = (vec)(0.0f), total_b = (vec)(0.0f), rest_b = (vec)(0.0f); \
    for (int start = 0; start < FULL; start += PIECE) {                          \
      const int end = min(start + PIECE, FULL);                                  \
      vec block_a = (vec)(0.0f), block_b = (vec)(0.0f);                          \
      for (int c = start; c < end; c += VECTOR) {                                \
        block_a += A(vec, LOAD, c);                                              \
        block_b += B(vec, LOAD, c);                                              \
      }                                                                          \
      ADD_BLOCK(vec, total_a, rest_a, block_a);                                  \
      ADD_BLOCK(vec, total_b, rest_b, block_b);                                  \
    }                                                                            \
    a = lane_sum(BLOCK_SUM(total_a, rest_a));                                    \
    b = lane_sum(BLOCK_SUM(total_b, rest_b));                                    \
    SHORT_LOOP for (int c = FULL; c < WIDTH; c++) {                              \
      a += A(float, LOAD1, c);                                                   \
      b += B(float, LOAD1, c);                                                   \
    }                                                                            \
  } while (0)

ALWAYS_INLINE moments row_moments(__global const float *restrict x) {
#define VALUE(T, LOAD, c) LOAD(x, c)
#define ZERO(T, LOAD, c) (T)(0.0f)
  ROW_SUMS(sum, nothing, VALUE, ZERO);
  const float mean = sum / WIDTH;
#define DIFFERENCE(T, LOAD, c) (LOAD(x, c) - mean)
#define SQUARE(T, LOAD, c) (DIFFERENCE(T, LOAD, c) * DIFFERENCE(T, LOAD, c))
  ROW_SUMS(differences, squares, DIFFERENCE, SQUARE);
  const float away = differences / WIDTH, variance = squares / WIDTH - away * away;
  const float factor = 1.0f / sqrt((variance < 0.0f ? 0.0f : variance) + EPSILON);
  const moments result = {mean, factor, -away * factor};
  return result;
}

#define NORMALIZED(T, LOAD, at, m) ((LOAD(x, at) - (m).mean) * (m).factor + (m).offset)

#if !GRADIENTS

KERNEL normalize_forward(__global const float *restrict x, __global const float *restrict gamma,
                 __global const float *restrict beta, __global float *restrict y EPILOGUE_PARAMS SIZES) {
  MY_SAMPLES
  for (INDEX row = first_sample * GROUPS; row < end_sample * GROUPS; row++) {
    const INDEX first = row * WIDTH;
    const int channel = row % GROUPS * WIDTH;
    const moments m = row_moments(x + first);
#define SCALE(T, LOAD, STORE, c)                                                                       \
  do {                                                                                                 \
    const INDEX at = first + c;                                                                        \
    const T v = NORMALIZED(T, LOAD, at, m) * LOAD(gamma, channel + c) + LOAD(beta, channel + c);       \
    STORE(EPILOGUE(T, LOAD, v, at, channel + c), y + at);                                              \
  } while (0)
    WALK(0, WIDTH, SCALE);
  }
}

#else

// The columns of so many vectors of a panel of rows.
#define COLUMNS(T, LOAD, STORE, c, V, N)                                                               \
  do {                                                                                                 \
    T products[V], totals[V];                                                                          \
    UNROLL for (int v = 0; v < V; v++) products[v] = totals[v] = (T)(0.0f);                            \
    for (int r = 0; r < rows; r++)                                                                     \
      UNROLL for (int v = 0; v < V; v++) {                                                             \
        const INDEX at = start + (INDEX)r * CHANNELS + c + v * N;                                      \
        const T d = LOAD(dy, at), n = NORMALIZED(T, LOAD, at, terms[r]);                               \
        products[v] += d * n;                                                                          \
        totals[v] += d;                                                                                \
        INPUT(T, LOAD, STORE, c + v * N)                                                               \
      }                                                                                                \
    UNROLL for (int v = 0; v < V; v++) ADD_SUMS(T, LOAD, STORE, channel + c + v * N, v)                \
  } while (0)

#if WITH_INPUT
#define INPUT(T, LOAD, STORE, c)                                                                       \
  const T g = (d * LOAD(gamma, channel + c) - means[r] - n * slopes[r]) * terms[r].factor;             \
  STORE(EPILOGUE(T, LOAD, g, at, channel + c), dx + at);
#else
#define INPUT(T, LOAD, STORE, c)
#endif
#if WITH_PARAMETERS
#define ADD_SUMS(T, LOAD, STORE, c, v)                                                                 \
  {                                                                                                    \
    STORE(LOAD(sums, part + c) + products[v], sums + part + c);                                        \
    STORE(LOAD(sums, part + CHANNELS + c) + totals[v], sums + part + CHANNELS + c);                    \
  }
#else
#define ADD_SUMS(T, LOAD, STORE, c, v) ;
#endif

KERNEL normalize_gradients(__global const float *restrict x, __global const float *restrict gamma,
                           __global const float *restrict dy RESULT SUMS SIZES) {
  MY_SAMPLES
#if WITH_PARAMETERS
  const INDEX part = item * 2 * CHANNELS;
  for (int c = 0; c < 2 * CHANNELS; c++) sums[part + c] = 0.0f;
#endif
  for (int channel = 0; channel < CHANNELS; channel += WIDTH)
    for (INDEX first = first_sample; first < end_sample; first += PANEL) {
      const int rows = min(first + PANEL, end_sample) - first;
      const INDEX start = first * CHANNELS + channel;
      moments terms[PANEL];
#if WITH_INPUT
      float means[PANEL], slopes[PANEL];
#endif
      for (int r = 0; r < rows; r++) {
        const INDEX row = start + (INDEX)r * CHANNELS;
        const moments m = row_moments(x + row);
        terms[r] = m;
#if WITH_INPUT
#define SCALED(T, LOAD, c) (LOAD(dy, row + c) * LOAD(gamma, channel + c))
#define PRODUCT(T, LOAD, c) (SCALED(T, LOAD, c) * NORMALIZED(T, LOAD, row + c, m))
        ROW_SUMS(sum, product, SCALED, PRODUCT);
        means[r] = sum / WIDTH;
        slopes[r] = product / WIDTH;
#endif
      }
      int c = 0;
      for (; c + 4 * VECTOR <= WIDTH; c += 4 * VECTOR) COLUMNS(vec, LOAD, STORE, c, 4, VECTOR);
      SHORT_LOOP for (; c + VECTOR <= WIDTH; c += VECTOR) COLUMNS(vec, LOAD, STORE, c, 1, VECTOR);
      SHORT_LOOP for (; c < WIDTH; c++) COLUMNS(float, LOAD1, STORE1, c, 1, 1);
    }
}

#endif

