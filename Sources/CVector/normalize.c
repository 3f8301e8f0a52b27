#include "apus_normalize.h"

#include "vector.h"

#include <math.h>

typedef float half_lanes __attribute__((vector_size(LANES / 2 * sizeof(float)), aligned(4)));
typedef float quarter_lanes __attribute__((vector_size(LANES / 4 * sizeof(float)), aligned(4)));

APUS_PART float lane_sum(const lanes *v) {
  const half_lanes h = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
  const quarter_lanes q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

#define LOAD(pointer) (*(const lanes *)(pointer))
#define STORE(value, pointer) (*(lanes *)(pointer) = (value))

// Rows that are worked on together: their statistics first, side by side, then their elements.
enum { PANEL_ROWS = 32, LONGEST_PIECE = 2048, BLOCK = 4 * LANES };

// Of the rows of a panel: n = (x - mean) * factor + offset, and what their gradients need.
typedef struct {
  float mean[PANEL_ROWS], factor[PANEL_ROWS], offset[PANEL_ROWS], gradient[PANEL_ROWS], slope[PANEL_ROWS];
} panel;

// Two sums over a row, in pieces whose sums lie in registers: what the macros (c, a, b) add to a and b at c.
#define ROW_SUMS(width, first_sum, second_sum, ADD_LANES, ADD_ONE)                           \
  double first_sum = 0, second_sum = 0;                                                      \
  for (int64_t start = 0; start < width; start += LONGEST_PIECE) {                           \
    const int64_t end = width - start < LONGEST_PIECE ? width : start + LONGEST_PIECE;       \
    lanes a[2] = {{0}}, b[2] = {{0}};                                                        \
    int64_t c = start;                                                                       \
    for (; c + 2 * LANES <= end; c += 2 * LANES)                                             \
      APUS_UNROLL for (int v = 0; v < 2; v++) ADD_LANES(c + v * LANES, a[v], b[v]);           \
    for (; c + LANES <= end; c += LANES) ADD_LANES(c, a[0], b[0]);                            \
    float rest_a = 0, rest_b = 0;                                                            \
    for (; c < end; c++) ADD_ONE(c, rest_a, rest_b);                                         \
    a[0] += a[1];                                                                            \
    b[0] += b[1];                                                                            \
    first_sum += lane_sum(a) + rest_a;                                                       \
    second_sum += lane_sum(b) + rest_b;                                                      \
  }

APUS_PART void panel_moments(const float *x, int64_t rows, int64_t stride, int64_t width, float epsilon, panel *p) {
  const float share = 1 / (float)width;
  float differences[PANEL_ROWS], squares[PANEL_ROWS];
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * stride;
#define VALUE_LANES(c, a, b) a += LOAD(row + (c))
#define VALUE(c, a, b) a += row[c]
    ROW_SUMS(width, sum, nothing, VALUE_LANES, VALUE)
    (void)nothing;
    p->mean[r] = (float)sum * share;
  }
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * stride, mean = p->mean[r];
#define DIFFERENCE_LANES(c, a, b) { const lanes d = LOAD(row + (c)) - mean; a += d; b += d * d; }
#define DIFFERENCE(c, a, b) { const float d = row[c] - mean; a += d; b += d * d; }
    ROW_SUMS(width, difference, square, DIFFERENCE_LANES, DIFFERENCE)
    differences[r] = (float)difference * share;
    squares[r] = (float)square * share;
  }
  for (int64_t r = 0; r < rows; r++) {
    const float variance = squares[r] - differences[r] * differences[r];
    p->factor[r] = 1 / sqrtf((variance < 0 ? 0 : variance) + epsilon);
    p->offset[r] = -differences[r] * p->factor[r];
  }
}

// MARK: - Forward

APUS_WIDE
void apus_normalize_rows(const float *x, const float *gamma, const float *beta, float *y, int64_t rows, int64_t stride,
                         int64_t width, float epsilon) {
  // As many as stay in the first cache.
  const int64_t most = width > 4096 ? 1 : width < 128 ? PANEL_ROWS : 4096 / width;
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = rows - first < most ? rows - first : most;
    panel p;
    panel_moments(x + first * stride, count, stride, width, epsilon, &p);
    for (int64_t r = 0; r < count; r++) {
      const float *source = x + (first + r) * stride, mean = p.mean[r], factor = p.factor[r], offset = p.offset[r];
      float *target = y + (first + r) * stride;
      int64_t c = 0;
      for (; c + LANES <= width; c += LANES)
        STORE(((LOAD(source + c) - mean) * factor + offset) * LOAD(gamma + c) + LOAD(beta + c), target + c);
      for (; c < width; c++) target[c] = ((source[c] - mean) * factor + offset) * gamma[c] + beta[c];
    }
  }
}

// MARK: - Gradients

// dx = factor * (dy * gamma - gradient - n * slope), with the means of dy * gamma and dy * gamma * n.
APUS_PART void panel_means(const float *x, const float *gamma, const float *dy, int64_t rows, int64_t stride,
                           int64_t width, panel *p) {
  const float share = 1 / (float)width;
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * stride, *upper = dy + r * stride;
    const float mean = p->mean[r], factor = p->factor[r], offset = p->offset[r];
#define PRODUCT_LANES(c, a, b)                                                               \
  {                                                                                          \
    const lanes g = LOAD(upper + (c)) * LOAD(gamma + (c));                                   \
    a += g;                                                                                  \
    b += g * ((LOAD(row + (c)) - mean) * factor + offset);                                   \
  }
#define PRODUCT(c, a, b)                                                                     \
  {                                                                                          \
    const float g = upper[c] * gamma[c];                                                     \
    a += g;                                                                                  \
    b += g * ((row[c] - mean) * factor + offset);                                            \
  }
    ROW_SUMS(width, sum, product, PRODUCT_LANES, PRODUCT)
    p->gradient[r] = (float)sum * share;
    p->slope[r] = (float)product * share;
  }
}

// The columns of so many registers of a panel.
APUS_PART void column_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                                float *dbeta, const panel *p, int64_t rows, int64_t stride, const int registers) {
  lanes products[4], sums[4];
  APUS_UNROLL for (int v = 0; v < registers; v++) products[v] = sums[v] = (lanes){0};
  for (int64_t r = 0; r < rows; r++) {
    const float mean = p->mean[r], factor = p->factor[r], offset = p->offset[r];
    APUS_UNROLL for (int v = 0; v < registers; v++) {
      const int64_t at = r * stride + v * LANES;
      const lanes d = LOAD(dy + at), n = (LOAD(x + at) - mean) * factor + offset;
      products[v] += d * n;
      sums[v] += d;
      if (dx) STORE((d * LOAD(gamma + v * LANES) - p->gradient[r] - n * p->slope[r]) * factor, dx + at);
    }
  }
  if (dgamma)
    APUS_UNROLL for (int v = 0; v < registers; v++) {
      STORE(LOAD(dgamma + v * LANES) + products[v], dgamma + v * LANES);
      STORE(LOAD(dbeta + v * LANES) + sums[v], dbeta + v * LANES);
    }
}

APUS_PART void panel_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                               float *dbeta, int64_t rows, int64_t stride, int64_t width, float epsilon) {
  panel p;
  panel_moments(x, rows, stride, width, epsilon, &p);
  if (dx) panel_means(x, gamma, dy, rows, stride, width, &p);
#define AT(pointer) ((pointer) ? (pointer) + c : 0)
  int64_t c = 0;
  for (; c + BLOCK <= width; c += BLOCK)
    column_gradients(x + c, gamma + c, dy + c, AT(dx), AT(dgamma), AT(dbeta), &p, rows, stride, 4);
  for (; c + LANES <= width; c += LANES)
    column_gradients(x + c, gamma + c, dy + c, AT(dx), AT(dgamma), AT(dbeta), &p, rows, stride, 1);
#undef AT
  for (; c < width; c++) {
    float product = 0, sum = 0;
    for (int64_t r = 0; r < rows; r++) {
      const float d = dy[r * stride + c], n = (x[r * stride + c] - p.mean[r]) * p.factor[r] + p.offset[r];
      product += d * n;
      sum += d;
      if (dx) dx[r * stride + c] = (d * gamma[c] - p.gradient[r] - n * p.slope[r]) * p.factor[r];
    }
    if (dgamma) {
      dgamma[c] += product;
      dbeta[c] += sum;
    }
  }
}

APUS_WIDE
void apus_normalize_rows_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                                   float *dbeta, int64_t rows, int64_t stride, int64_t width, float epsilon) {
  for (int64_t first = 0; first < rows; first += PANEL_ROWS) {
    const int64_t count = rows - first < PANEL_ROWS ? rows - first : PANEL_ROWS, at = first * stride;
    panel_gradients(x + at, gamma, dy + at, dx ? dx + at : 0, dgamma, dbeta, count, stride, width, epsilon);
  }
}

