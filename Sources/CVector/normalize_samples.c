#include "apus_normalize.h"

#include "vector.h"

#include <math.h>

// Positions are walked as long rows: several of them where there are few channels, so that registers are full.
// Coefficients of channels are laid out as often.
enum { SHORTEST_ROW = 64, CHUNK = 4096 };

APUS_PART int64_t folding(int64_t channels) { return channels >= SHORTEST_ROW ? 1 : SHORTEST_ROW / channels; }

int64_t apus_normalize_scratch(int64_t channels) {
  // Six rows of coefficients and sums, and two of float64.
  return 6 * folding(channels) * channels + 4 * channels + 4;
}

typedef struct {
  // Of each place in a long row.
  float *mean, *factor, *offset, *a, *b, *c;
  // Of each group or channel.
  double *first, *second;
} workspace;

APUS_PART workspace places(float *scratch, int64_t channels) {
  const int64_t row = folding(channels) * channels;
  workspace w = {.first = (double *)scratch, .second = (double *)scratch + channels};
  float *rest = scratch + 4 * channels;
  w.mean = rest, w.factor = rest + row, w.offset = rest + 2 * row;
  w.a = rest + 3 * row, w.b = rest + 4 * row, w.c = rest + 5 * row;
  return w;
}

// Lays the first `channels` of a row out over all of it.
APUS_PART void repeat(float *row, int64_t channels) {
  const int64_t length = folding(channels) * channels;
  for (int64_t c = channels; c < length; c++) row[c] = row[c - channels];
}

// Adds the places of a row that are one channel.
APUS_PART void fold(float *row, int64_t channels) {
  const int64_t length = folding(channels) * channels;
  for (int64_t c = channels; c < length; c++) row[c % channels] += row[c];
}

#define LOAD(pointer) (*(const lanes *)(pointer))
#define STORE(value, pointer) (*(lanes *)(pointer) = (value))

// first[c] and second[c] = what TERMS(T, LOAD, at, c, a, b) adds to a and b over rows of `length`, of which the last may
// be short. The columns of a few registers are added up together.
#define COLUMN_SUMS(count, length, first, second, TERMS)                                     \
  do {                                                                                       \
    const int64_t whole = (count) / (length) * (length);                                     \
    int64_t c = 0;                                                                           \
    for (; c + 4 * LANES <= (length); c += 4 * LANES) REGISTERS(4, first, second, TERMS);    \
    for (; c + LANES <= (length); c += LANES) REGISTERS(1, first, second, TERMS);            \
    for (; c < (length); c++) {                                                              \
      first[c] = second[c] = 0;                                                              \
      for (int64_t row = 0; row < whole; row += (length)) TERMS(float, LOAD_ONE, row + c, c, first[c], second[c]); \
    }                                                                                        \
    for (c = 0; whole + c < (count); c++) TERMS(float, LOAD_ONE, whole + c, c, first[c], second[c]); \
  } while (0)
#define LOAD_ONE(pointer) (*(pointer))
#define REGISTERS(V, first, second, TERMS)                                                   \
  {                                                                                          \
    lanes a[V], b[V];                                                                        \
    APUS_UNROLL for (int v = 0; v < V; v++) a[v] = b[v] = (lanes){0};                        \
    for (int64_t row = 0; row < whole; row += length)                                        \
      APUS_UNROLL for (int v = 0; v < V; v++)                                                \
        TERMS(lanes, LOAD, row + c + v * LANES, c + v * LANES, a[v], b[v]);                  \
    APUS_UNROLL for (int v = 0; v < V; v++) {                                                \
      STORE(a[v], first + c + v * LANES);                                                    \
      STORE(b[v], second + c + v * LANES);                                                   \
    }                                                                                        \
  }

// sums[c] = sum of x - shift[c], squares[c] = sum of its square.
APUS_PART void sum_differences(const float *restrict x, const float *restrict shift, float *restrict sums,
                               float *restrict squares, int64_t count, int64_t length) {
#define DIFFERENCE(T, LOAD, at, c, a, b)                                                     \
  {                                                                                          \
    const T d = LOAD(x + (at)) - LOAD(shift + (c));                                          \
    a += d;                                                                                  \
    b += d * d;                                                                              \
  }
  COLUMN_SUMS(count, length, sums, squares, DIFFERENCE);
}

// The statistics of all groups of a sample, in one walk over it: those of chunks are joined (Chan, Golub and LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979). The differences in a chunk are
// from the mean of what came before: where that is far off, it makes up the variance itself.
APUS_PART void find_moments(const float *x, int64_t positions, int64_t groups, int64_t width, float epsilon,
                            workspace w) {
  const int64_t channels = groups * width, length = folding(channels) * channels;
  const int64_t step = (CHUNK / length > 0 ? CHUNK / length : 1) * length / channels;
  double *means = w.first, *squares = w.second;
  for (int64_t g = 0; g < groups; g++) means[g] = squares[g] = 0;
  for (int64_t c = 0; c < length; c++) w.mean[c] = 0;
  for (int64_t first = -step; first < positions; first += step) {
    // The first chunk is walked twice, the first time for its mean.
    const int64_t at = first < 0 ? 0 : first, count = positions - at < step ? positions - at : step;
    sum_differences(x + at * channels, w.mean, w.a, w.b, count * channels, length);
    fold(w.a, channels);
    fold(w.b, channels);
    const double weight = (double)(count * width), before = (double)(at * width);
    for (int64_t g = 0; g < groups; g++) {
      double sum = 0, square = 0;
      for (int64_t c = g * width; c < (g + 1) * width; c++) {
        sum += w.a[c];
        square += w.b[c];
      }
      if (first < 0) {
        means[g] = sum / weight;
      } else {
        const double offset = sum / weight, mean = w.mean[g * width] + offset, away = at > 0 ? mean - means[g] : 0;
        squares[g] += square - offset * sum + away * away * before * weight / (before + weight);
        means[g] = at > 0 ? means[g] + away * weight / (before + weight) : mean;
      }
      for (int64_t c = g * width; c < (g + 1) * width; c++) w.mean[c] = (float)means[g];
    }
    repeat(w.mean, channels);
  }
  for (int64_t g = 0; g < groups; g++) {
    const double variance = squares[g] / (double)(positions * width);
    const double factor = 1 / sqrt((variance < 0 ? 0 : variance) + epsilon);
    for (int64_t c = g * width; c < (g + 1) * width; c++) {
      w.factor[c] = (float)factor;
      w.offset[c] = (float)-((means[g] - w.mean[c]) * factor);
    }
  }
}

APUS_PART void scale_rows(const float *restrict x, const float *restrict mean, const float *restrict factor,
                          const float *restrict offset, float *restrict y, int64_t count, int64_t length) {
  for (int64_t first = 0; first < count; first += length) {
    const int64_t width = count - first < length ? count - first : length;
    for (int64_t c = 0; c < width; c++) y[first + c] = (x[first + c] - mean[c]) * factor[c] + offset[c];
  }
}

APUS_WIDE
void apus_normalize_sample(const float *x, const float *gamma, const float *beta, float *y, int64_t positions,
                           int64_t groups, int64_t width, float epsilon, float *scratch) {
  const int64_t channels = groups * width;
  workspace w = places(scratch, channels);
  find_moments(x, positions, groups, width, epsilon, w);
  for (int64_t c = 0; c < channels; c++) {
    w.offset[c] = w.offset[c] * gamma[c] + beta[c];
    w.factor[c] *= gamma[c];
  }
  repeat(w.factor, channels);
  repeat(w.offset, channels);
  scale_rows(x, w.mean, w.factor, w.offset, y, positions * channels, folding(channels) * channels);
}

// products[c] = sum of dy * n, sums[c] = sum of dy.
APUS_PART void sum_products(const float *restrict x, const float *restrict dy, const workspace w,
                            float *restrict products, float *restrict sums, int64_t count, int64_t length) {
  const float *restrict mean = w.mean, *restrict factor = w.factor, *restrict offset = w.offset;
#define PRODUCT(T, LOAD, at, c, a, b)                                                        \
  {                                                                                          \
    const T d = LOAD(dy + (at));                                                             \
    a += d * ((LOAD(x + (at)) - LOAD(mean + (c))) * LOAD(factor + (c)) + LOAD(offset + (c))); \
    b += d;                                                                                  \
  }
  COLUMN_SUMS(count, length, products, sums, PRODUCT);
}

// dx = dy * a + (x - mean) * b + c
APUS_PART void combine_rows(const float *restrict x, const float *restrict dy, const float *restrict mean,
                            const float *restrict a, const float *restrict b, const float *restrict c,
                            float *restrict dx, int64_t count, int64_t length) {
  for (int64_t first = 0; first < count; first += length) {
    const int64_t width = count - first < length ? count - first : length;
    for (int64_t i = 0; i < width; i++)
      dx[first + i] = dy[first + i] * a[i] + ((x[first + i] - mean[i]) * b[i] + c[i]);
  }
}

APUS_WIDE
void apus_normalize_sample_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                                     float *dbeta, int64_t positions, int64_t groups, int64_t width, float epsilon,
                                     float *scratch) {
  const int64_t channels = groups * width, length = folding(channels) * channels;
  workspace w = places(scratch, channels);
  find_moments(x, positions, groups, width, epsilon, w);
  repeat(w.factor, channels);
  repeat(w.offset, channels);
  double *products = w.first, *sums = w.second;
  for (int64_t c = 0; c < channels; c++) products[c] = sums[c] = 0;
  const int64_t step = (CHUNK / length > 0 ? CHUNK / length : 1) * length / channels;
  for (int64_t first = 0; first < positions; first += step) {
    const int64_t count = positions - first < step ? positions - first : step;
    sum_products(x + first * channels, dy + first * channels, w, w.a, w.b, count * channels, length);
    fold(w.a, channels);
    fold(w.b, channels);
    for (int64_t c = 0; c < channels; c++) {
      products[c] += w.a[c];
      sums[c] += w.b[c];
    }
  }
  if (dgamma)
    for (int64_t c = 0; c < channels; c++) {
      dgamma[c] += (float)products[c];
      dbeta[c] += (float)sums[c];
    }
  if (!dx) return;
  // dx = factor * (dy * gamma - mean - n * slope)
  for (int64_t g = 0; g < groups; g++) {
    double mean = 0, slope = 0;
    for (int64_t c = g * width; c < (g + 1) * width; c++) {
      mean += gamma[c] * sums[c];
      slope += gamma[c] * products[c];
    }
    mean /= (double)(positions * width);
    slope /= (double)(positions * width);
    for (int64_t c = g * width; c < (g + 1) * width; c++) {
      const double factor = w.factor[c];
      w.a[c] = w.factor[c] * gamma[c];
      w.b[c] = (float)-(factor * factor * slope);
      w.c[c] = (float)-(factor * (mean + w.offset[c] * slope));
    }
  }
  repeat(w.a, channels);
  repeat(w.b, channels);
  repeat(w.c, channels);
  combine_rows(x, dy, w.mean, w.a, w.b, w.c, dx, positions * channels, length);
}
