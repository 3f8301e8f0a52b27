#include "apus_rows.h"

#include "vector_math.h"

// Several sums or maxima side by side: their order is fixed, and no compiler may choose another.
enum { PARTS = 32 };

// A long sum is that of its halves, down to blocks of so many terms one after the other: its rounding error grows with
// the logarithm of its length (Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14, 1993).
enum { LONGEST = 32, LONGEST_ROW = LONGEST * PARTS, LONGEST_COLUMN = LONGEST * 4 };

// Terms of the first half of `count`: whole blocks.
APUS_PART int64_t half(int64_t count, int64_t block) { return (count + block - 1) / block / 2 * block; }

// Columns that are worked on together: their sums stay in the first cache.
enum { PANEL = APUS_PANEL };
// Fewer columns are worked on several rows at a time, as so many or almost so many.
enum { NARROW = 64 };

#define GREATER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

APUS_PART float fold_parts(apus_reduction kind, float *parts) {
  for (int width = PARTS / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++)
      parts[i] = kind == APUS_REDUCE_SUM ? parts[i] + parts[i + width] : GREATER(parts[i], parts[i + width]);
  return parts[0];
}

APUS_WIDE
float apus_reduce(apus_reduction kind, const float *x, int64_t count) {
  if (kind == APUS_REDUCE_SUM && count > LONGEST_ROW) {
    const int64_t first = half(count, LONGEST_ROW);
    return apus_reduce(kind, x, first) + apus_reduce(kind, x + first, count - first);
  }
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
void apus_accumulate(const float *restrict x, float *restrict y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] += x[i];
}

// `y` = the sums of a block of rows, in so many registers. Four rows are added first: half the wait for a sum.
APUS_PART void sum_registers(const float *x, int64_t stride, int64_t rows, float *y, const int registers) {
  lanes sums[NARROW / LANES];
  APUS_UNROLL for (int v = 0; v < registers; v++) sums[v] = (lanes){0};
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * stride)
    APUS_UNROLL for (int v = 0; v < registers; v++) {
      const float *at = x + v * LANES;
      sums[v] += (*(const lanes *)at + *(const lanes *)(at + stride)) +
                 (*(const lanes *)(at + 2 * stride) + *(const lanes *)(at + 3 * stride));
    }
  for (; r < rows; r++, x += stride)
    APUS_UNROLL for (int v = 0; v < registers; v++) sums[v] += *(const lanes *)(x + v * LANES);
  APUS_UNROLL for (int v = 0; v < registers; v++) *(lanes *)(y + v * LANES) = sums[v];
}

APUS_WIDE
void apus_sum_panel(const float *restrict x, int64_t stride, int64_t rows, int64_t columns, float *restrict y) {
  if (rows > LONGEST_COLUMN) {
    const int64_t first = half(rows, LONGEST_COLUMN);
    float rest[PANEL];
    apus_sum_panel(x, stride, first, columns, y);
    apus_sum_panel(x + first * stride, stride, rows - first, columns, rest);
    for (int64_t c = 0; c < columns; c++) y[c] += rest[c];
    return;
  }
  if (columns >= LANES && columns <= NARROW) {
    // The last registers begin earlier and have sums of those before, too.
    const int64_t width = columns == NARROW ? NARROW : LANES;
    for (int64_t c = 0; c < columns; c += width) {
      const int64_t first = c + width <= columns ? c : columns - width;
      if (width == NARROW) {
        sum_registers(x + first, stride, rows, y + first, NARROW / LANES);
      } else {
        sum_registers(x + first, stride, rows, y + first, 1);
      }
    }
    return;
  }
  int64_t r = 1;
  if (rows < 4) {
    for (int64_t c = 0; c < columns; c++) y[c] = x[c];
  } else {
    const float *restrict x1 = x + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    for (int64_t c = 0; c < columns; c++) y[c] = (x[c] + x1[c]) + (x2[c] + x3[c]);
    r = 4;
  }
  // Four rows at a time: one load and store of the sums for four of the data.
  for (; r + 4 <= rows; r += 4) {
    const float *restrict x0 = x + r * stride, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    for (int64_t c = 0; c < columns; c++) y[c] += (x0[c] + x1[c]) + (x2[c] + x3[c]);
  }
  for (; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) y[c] += x[r * stride + c];
}

APUS_PART void reduce_all(apus_reduction kind, const float *x, int64_t rows, int64_t columns, float *restrict y) {
  if (kind == APUS_REDUCE_SUM) {
    for (int64_t first = 0; first < columns; first += PANEL)
      apus_sum_panel(x + first, columns, rows, columns - first < PANEL ? columns - first : PANEL, y + first);
  } else {
    for (int64_t c = 0; c < columns; c++) y[c] = x[c];
    for (int64_t r = 1; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) y[c] = GREATER(y[c], x[r * columns + c]);
  }
}

APUS_WIDE
void apus_reduce_columns(apus_reduction kind, const float *x, int64_t rows, int64_t columns, float *y) {
  if (columns == 1) {
    *y = apus_reduce(kind, x, rows);
    return;
  }
  const int64_t fold = columns > 0 ? NARROW / columns : 0;
  if (fold < 2 || rows <= fold) {
    reduce_all(kind, x, rows, columns, y);
    return;
  }
  float folded[NARROW + NARROW / 2];
  reduce_all(kind, x, rows / fold, fold * columns, folded);
  // The rows that are left over join the folded ones.
  const int64_t left = rows % fold;
  if (left > 0) reduce_all(kind, x + (rows - left) * columns, left, columns, folded + fold * columns);
  reduce_all(kind, folded, fold + (left > 0), columns, y);
}

APUS_WIDE
void apus_add_rows(const float *restrict x, int64_t rows, int64_t columns, float *restrict y) {
  if (rows < 8) {
    for (; rows >= 4; rows -= 4, x += 4 * columns) {
      const float *restrict x1 = x + columns, *x2 = x1 + columns, *x3 = x2 + columns;
      for (int64_t c = 0; c < columns; c++) y[c] += (x[c] + x1[c]) + (x2[c] + x3[c]);
    }
    for (; rows >= 2; rows -= 2, x += 2 * columns)
      for (int64_t c = 0; c < columns; c++) y[c] += x[c] + x[columns + c];
    if (rows == 1) apus_accumulate(x, y, columns);
    return;
  }
  float sums[PANEL];
  for (int64_t first = 0; first < columns; first += PANEL) {
    const int64_t width = columns - first < PANEL ? columns - first : PANEL;
    if (columns <= NARROW / 2) {
      apus_reduce_columns(APUS_REDUCE_SUM, x, rows, columns, sums);
    } else {
      apus_sum_panel(x + first, columns, rows, width, sums);
    }
    for (int64_t c = 0; c < width; c++) y[first + c] += sums[c];
  }
}

APUS_PART void sum_listed(const float *x, int64_t stride, const int64_t *list, int64_t count, int64_t columns,
                          float *restrict y) {
  if (count > LONGEST) {
    const int64_t first = half(count, LONGEST);
    float rest[PANEL];
    sum_listed(x, stride, list, first, columns, y);
    sum_listed(x, stride, list + first, count - first, columns, rest);
    for (int64_t c = 0; c < columns; c++) y[c] += rest[c];
    return;
  }
  for (int64_t c = 0; c < columns; c++) y[c] = 0.f;
  for (int64_t i = 0; i < count; i++) {
    const float *restrict row = x + list[i] * stride;
    for (int64_t c = 0; c < columns; c++) y[c] += row[c];
  }
}

APUS_WIDE
void apus_sum_listed(const float *x, const int64_t *list, int64_t count, int64_t columns, float *y) {
  for (int64_t first = 0; first < columns; first += PANEL)
    sum_listed(x + first, columns, list, count, columns - first < PANEL ? columns - first : PANEL, y + first);
}

APUS_WIDE
float apus_exp_shifted(const float *x, float shift, float *y, int64_t count) {
  if (count > LONGEST_ROW) {
    const int64_t first = half(count, LONGEST_ROW);
    return apus_exp_shifted(x, shift, y, first) + apus_exp_shifted(x + first, shift, y + first, count - first);
  }
  float parts[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= count; i += PARTS)
    for (int j = 0; j < PARTS; j++) parts[j] += y[i + j] = vector_exp(x[i + j] - shift);
  for (int j = 0; i + j < count; j++) parts[j] += y[i + j] = vector_exp(x[i + j] - shift);
  return fold_parts(APUS_REDUCE_SUM, parts);
}

APUS_WIDE
float apus_sum_shifted(const float *x, float shift, int64_t count) {
  if (count > LONGEST_ROW) {
    const int64_t first = half(count, LONGEST_ROW);
    return apus_sum_shifted(x, shift, first) + apus_sum_shifted(x + first, shift, count - first);
  }
  float parts[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= count; i += PARTS)
    for (int j = 0; j < PARTS; j++) parts[j] += x[i + j] - shift;
  for (int j = 0; i + j < count; j++) parts[j] += x[i + j] - shift;
  return fold_parts(APUS_REDUCE_SUM, parts);
}

APUS_WIDE
float apus_sum_exp_shifted(const float *x, float shift, int64_t count) {
  if (count > LONGEST_ROW) {
    const int64_t first = half(count, LONGEST_ROW);
    return apus_sum_exp_shifted(x, shift, first) + apus_sum_exp_shifted(x + first, shift, count - first);
  }
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
