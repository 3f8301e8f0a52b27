#ifndef APUS_VECTOR_FEW_FILTERS_H
#define APUS_VECTOR_FEW_FILTERS_H

#include <stdint.h>

/// Sizes of a convolution with stride 1 of images NHWC. `top` and `left` are the padding before.
typedef struct {
  int64_t height, width, channels;
  int64_t filter_height, filter_width, filters;
  int64_t result_height, result_width;
  int64_t top, left;
} apus_few_filters;

/// How filters lie in memory: tap (r, s) of channel c and filter k is
/// `data[(r * filter_width + s) * tap + c * channel + k * filter]`, and with `turned` that of tap
/// (filter_height - 1 - r, filter_width - 1 - s).
typedef struct {
  const float *data;
  int64_t tap, channel, filter;
  int turned;
} apus_few_filters_layout;

/// Whether the functions below can serve these sizes.
int apus_few_filters_suits(const apus_few_filters *sizes);

/// Floats that the filters take as `rows` wants them, `[filter_height, filters, filter_width, channels]`.
int64_t apus_few_filters_count(const apus_few_filters *sizes);
void apus_few_filters_lay_out(const apus_few_filters *sizes, const apus_few_filters_layout *layout, float *filters);

/// Floats of scratch memory of a thread.
int64_t apus_few_filters_scratch(const apus_few_filters *sizes);
/// Rows `first ..< end` of all images' results `[result_width, filters]`: convolution, plus `bias` (a float for each
/// filter, or NULL), cut off below zero where `relu` is set. A NaN stays.
void apus_few_filters_rows(const apus_few_filters *sizes, const float *images, const float *filters, const float *bias,
                           int relu, int64_t first, int64_t end, float *scratch, float *results);

/// Floats of scratch memory of a thread for the filter gradient.
int64_t apus_few_filters_gradient_scratch(const apus_few_filters *sizes);
/// Sets the filter gradient `[filter_height, filter_width, channels, filters]` of rows `first ..< end` of all images'
/// results, whose gradients are `results`.
void apus_few_filters_gradient(const apus_few_filters *sizes, const float *images, const float *results, int64_t first,
                               int64_t end, float *scratch, float *gradient);

#endif
