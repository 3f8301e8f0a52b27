#ifndef APUS_VECTOR_DEPTHWISE_H
#define APUS_VECTOR_DEPTHWISE_H

#include <stdint.h>

/// Sizes of a depthwise convolution with stride 1: of every image `[height, width, channels]` a result
/// `[result_height, result_width, channels]`. `top` and `left` are the padding before.
typedef struct {
  int64_t height, width, channels;
  int64_t result_height, result_width;
  /// Rows and columns of the filter, which are as many.
  int64_t window;
  int64_t top, left;
} apus_depthwise;

/// Whether the functions below can serve these sizes.
int apus_depthwise_suits(const apus_depthwise *sizes);

/// Floats of the laid out filter and bias.
int64_t apus_depthwise_filter_count(const apus_depthwise *sizes);
/// Lays out `filter` `[window, window, channels]`, turned by 180 degrees where `turned` is set, and `bias` (a float for
/// each channel; `NULL`: zeros).
void apus_depthwise_lay_out(const apus_depthwise *sizes, const float *filter, int turned, const float *bias,
                            float *laid_out);

/// Rows that the functions below take at most at a time; `window - 1` is the least.
int64_t apus_depthwise_most_rows(const apus_depthwise *sizes);
/// Floats of scratch memory of a thread.
int64_t apus_depthwise_scratch(const apus_depthwise *sizes);
/// Rows `first ..< first + rows` of one image's result: convolution plus bias, cut off below zero where `relu` is set.
/// A NaN stays.
void apus_depthwise_forward(const apus_depthwise *sizes, const float *image, const float *laid_out, int relu,
                            int64_t first, int64_t rows, float *scratch, float *result);

/// Floats of sums of the filter gradient.
int64_t apus_depthwise_sum_count(const apus_depthwise *sizes);
/// Adds to `sums` what rows `first ..< first + rows` of one image's `result`, a gradient, give to the filter gradient.
void apus_depthwise_accumulate(const apus_depthwise *sizes, const float *image, const float *result, int64_t first,
                               int64_t rows, float *scratch, float *sums);
/// `filter` = the sum of `parts` times `sums`, which lie one after the other.
void apus_depthwise_finish(const apus_depthwise *sizes, const float *sums, int64_t parts, float *filter);

#endif
