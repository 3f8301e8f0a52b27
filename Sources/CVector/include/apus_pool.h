#ifndef APUS_VECTOR_POOL_H
#define APUS_VECTOR_POOL_H

#include <stdint.h>

/// A run of equal windows side by side: each covers `rows` x `columns` cells of `channels` floats; rows of the image
/// start `row_stride` floats apart, windows `step` floats. Results of the run are side by side.
typedef struct {
  int64_t count, rows, columns, channels, row_stride, step;
} apus_windows;

/// Maximum of each channel over each window; the first one is at `x`.
void apus_pool_maximum(const apus_windows *windows, const float *x, float *y);
/// Sum of each channel over each window, times `factor`.
void apus_pool_mean(const apus_windows *windows, const float *x, float factor, float *y);

/// In each window, the first cell in row-major order that holds the maximum `y` gets `dy`. The other cells are set to
/// zero where `overwrites`; else they are kept, and the cell's own value is added to.
void apus_pool_maximum_gradient(const apus_windows *windows, const float *x, const float *y, const float *dy, float *dx,
                                int overwrites);
/// `dx += dy * factor` in all cells.
void apus_pool_mean_gradient(const apus_windows *windows, const float *dy, float factor, float *dx);

#endif
