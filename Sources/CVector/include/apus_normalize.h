#ifndef APUS_VECTOR_NORMALIZE_H
#define APUS_VECTOR_NORMALIZE_H

#include <stdint.h>

// Normalisation to mean 0 and variance 1: n = (x - mean) / sqrt(variance + epsilon), over groups of elements.
//
// A mean is held in two parts, for where it is large beside the deviation: n = (x - mean) * factor + offset. Variances
// are sums of squares of differences from a mean near the right one, so nothing cancels.

// Rows: `rows` groups of `width` elements, each after `stride` others.

/// `y = n * gamma[c] + beta[c]`
void apus_normalize_rows(const float *x, const float *gamma, const float *beta, float *y, int64_t rows, int64_t stride,
                         int64_t width, float epsilon);

/// `dx`, and into `dgamma` and `dbeta` the sums of `dy * n` and `dy` are added. Where `dx` is null, or these are, they
/// are left out.
void apus_normalize_rows_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                                   float *dbeta, int64_t rows, int64_t stride, int64_t width, float epsilon);

// Samples of `positions` times `groups * width` channels, whose groups are over the positions and `width` channels.

/// Floats that the functions below need to work in.
int64_t apus_normalize_scratch(int64_t channels);

/// `y = n * gamma[c] + beta[c]` of a sample.
void apus_normalize_sample(const float *x, const float *gamma, const float *beta, float *y, int64_t positions,
                           int64_t groups, int64_t width, float epsilon, float *scratch);

/// The same of a sample.
void apus_normalize_sample_gradients(const float *x, const float *gamma, const float *dy, float *dx, float *dgamma,
                                     float *dbeta, int64_t positions, int64_t groups, int64_t width, float epsilon,
                                     float *scratch);

#endif
