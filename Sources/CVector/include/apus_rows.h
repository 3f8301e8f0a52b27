#ifndef APUS_VECTOR_ROWS_H
#define APUS_VECTOR_ROWS_H

#include <stdint.h>

typedef enum { APUS_REDUCE_SUM, APUS_REDUCE_MAXIMUM } apus_reduction;

/// Sum or maximum of `count` floats, of which there is at least one for a maximum.
float apus_reduce(apus_reduction kind, const float *x, int64_t count);

/// `y[c] = sum or maximum over r of x[r, c]`, for at least one row.
void apus_reduce_columns(apus_reduction kind, const float *x, int64_t rows, int64_t columns, float *y);

/// Columns whose sums `apus_sum_panel` holds on the stack.
enum { APUS_PANEL = 256 };

/// `y[c] = sum over r of x[r * stride + c]`, for at least one row and at most `APUS_PANEL` columns.
void apus_sum_panel(const float *x, int64_t stride, int64_t rows, int64_t columns, float *y);

/// `y[c] = sum over i of x[list[i], c]`
void apus_sum_listed(const float *x, const int64_t *list, int64_t count, int64_t columns, float *y);

/// `y[c] += sum over r of x[r, c]`
void apus_add_rows(const float *x, int64_t rows, int64_t columns, float *y);

/// `y += x`
void apus_accumulate(const float *x, float *y, int64_t count);

/// `y[c] = exp(x[c] - shift)`; returns the sum. `y` may be `x`.
float apus_exp_shifted(const float *x, float shift, float *y, int64_t count);

/// Sum of `x[c] - shift`.
float apus_sum_shifted(const float *x, float shift, int64_t count);

/// Sum of `exp(x[c] - shift)`.
float apus_sum_exp_shifted(const float *x, float shift, int64_t count);

/// `y[c] = (x[c] - first) - second`: where `x` and `first` are large, a small `second` is not rounded away.
void apus_shift_twice(const float *x, float first, float second, float *y, int64_t count);

/// `y[c] = x[c] * factor + offset`. `y` may be `x`.
void apus_scale(const float *x, float factor, float offset, float *y, int64_t count);

#endif
