#include "apus_rows.h"

#include "vector_math.h"

// Several sums or maxima side by side: their order is fixed, and no compiler may choose another.
enum { PARTS = 32 };

#define GREATER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

APUS_PART float fold_parts(apus_reduction kind, float *parts) {
  for (int width = PARTS / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++)
      parts[i] = kind == APUS_REDUCE_SUM ? parts[i] + parts[i + width] : GREATER(parts[i], parts[i + width]);
  return parts[0];
}

APUS_WIDE
float apus_reduce(apus_reduction kind, const float *x, int64_t count) {
  float parts[PARTS];
  for (int j = 0; j < PARTS; j++) parts[j] = kind == APUS_REDUCE_SUM ? 0.f : -INFINITY;
  int64_t i = 0;
  if (kind == APUS_REDUCE_SUM) {
    for (; i + PARTS <= count; i += PARTS)
      for (int j = 0; j < PARTS; j++) parts[j] += x[i + j];
    for (int j = 0; i + j < count; j++) parts[j] += x[i + j];
  } else {
    for (; i + PARTS <= count; i += PARTS)
      for (int j = 0; j < PARTS; j++) parts[j] = GREATER(parts[j], x[i + j]);
    for (int j = 0; i + j < count; j++) parts[j] = GREATER(parts[j], x[i + j]);
  }
  return fold_parts(kind, parts);
}

APUS_WIDE
void apus_add_rows(const float *restrict x, int64_t rows, int64_t columns, float *restrict y) {
  int64_t r = 0;
  // Four rows at a time: one load and store of the sums for four of the data.
  for (; r + 4 <= rows; r += 4) {
    const float *restrict x0 = x + r * columns, *x1 = x0 + columns, *x2 = x1 + columns, *x3 = x2 + columns;
    for (int64_t c = 0; c < columns; c++) y[c] += (x0[c] + x1[c]) + (x2[c] + x3[c]);
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) y[c] += x[r * columns + c];
}

APUS_WIDE
void apus_reduce_columns(apus_reduction kind, const float *x, int64_t rows, int64_t columns, float *restrict y) {
  for (int64_t c = 0; c < columns; c++) y[c] = x[c];
  if (kind == APUS_REDUCE_SUM) {
    apus_add_rows(x + columns, rows - 1, columns, y);
  } else {
    for (int64_t r = 1; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) y[c] = GREATER(y[c], x[r * columns + c]);
  }
}

APUS_WIDE
void apus_accumulate(const float *restrict x, float *restrict y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] += x[i];
}

APUS_WIDE
float apus_exp_shifted(const float *x, float shift, float *y, int64_t count) {
  float parts[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= count; i += PARTS)
    for (int j = 0; j < PARTS; j++) parts[j] += y[i + j] = vector_exp(x[i + j] - shift);
  for (int j = 0; i + j < count; j++) parts[j] += y[i + j] = vector_exp(x[i + j] - shift);
  return fold_parts(APUS_REDUCE_SUM, parts);
}

APUS_WIDE
float apus_sum_shifted(const float *x, float shift, int64_t count) {
  float parts[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= count; i += PARTS)
    for (int j = 0; j < PARTS; j++) parts[j] += x[i + j] - shift;
  for (int j = 0; i + j < count; j++) parts[j] += x[i + j] - shift;
  return fold_parts(APUS_REDUCE_SUM, parts);
}

APUS_WIDE
float apus_sum_exp_shifted(const float *x, float shift, int64_t count) {
  float parts[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= count; i += PARTS)
    for (int j = 0; j < PARTS; j++) parts[j] += vector_exp(x[i + j] - shift);
  for (int j = 0; i + j < count; j++) parts[j] += vector_exp(x[i + j] - shift);
  return fold_parts(APUS_REDUCE_SUM, parts);
}

APUS_WIDE
void apus_shift_twice(const float *x, float first, float second, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = (x[i] - first) - second;
}

APUS_WIDE
void apus_scale(const float *x, float factor, float offset, float *y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] * factor + offset;
}
