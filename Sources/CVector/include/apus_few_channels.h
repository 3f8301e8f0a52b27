#ifndef APUS_VECTOR_FEW_CHANNELS_H
#define APUS_VECTOR_FEW_CHANNELS_H

#include <stdint.h>

/// Sizes of a convolution of images NHWC by filters HWIO. `top` and `left` are the padding before.
typedef struct {
  int64_t height, width, channels;
  int64_t filter_height, filter_width, filters;
  int64_t result_height, result_width;
  int64_t stride_y, stride_x, top, left;
} apus_few_channels;

/// Whether the function below can serve these sizes.
int apus_few_channels_suits(const apus_few_channels *sizes);
/// Floats of scratch memory of a thread.
int64_t apus_few_channels_scratch(const apus_few_channels *sizes);
/// Row `row` of one image's result `[result_width, filters]`: convolution, plus `bias` (a float for each filter, or
/// NULL), cut off below zero where `relu` is set. A NaN stays.
void apus_few_channels_row(const apus_few_channels *sizes, const float *image, const float *filter, const float *bias,
                           int relu, int64_t row, float *scratch, float *result);

#endif
