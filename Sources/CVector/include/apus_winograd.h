#ifndef APUS_VECTOR_WINOGRAD_H
#define APUS_VECTOR_WINOGRAD_H

#include <stdint.h>

/// Sizes of a convolution with 3x3 filters and stride 1; images NHWC. `top` and `left` are the padding before.
typedef struct {
  int64_t images, height, width, channels;
  int64_t result_height, result_width, filters;
  int64_t top, left;
} apus_winograd;

/// How the 3x3 filters lie in memory: tap (r, s) of channel c and filter k is
/// `data[(r * 3 + s) * tap + c * channel + k * filter]`, and with `turned` tap (2 - r, 2 - s).
typedef struct {
  const float *data;
  int64_t tap, channel, filter;
  int turned;
} apus_winograd_filters;

/// 2x2 tiles of the result: what a forward pass or a filter gradient is cut into.
int64_t apus_winograd_tile_count(const apus_winograd *sizes);

/// Floats that the transformed filters take, and panels of filters that they are cut into.
int64_t apus_winograd_filter_count(const apus_winograd *sizes);
int64_t apus_winograd_panel_count(const apus_winograd *sizes);
/// Transforms filters of panels `first ..< end` into `transformed`.
void apus_winograd_transform_filters(const apus_winograd *sizes, const apus_winograd_filters *filters, int64_t first,
                                     int64_t end, float *transformed);

/// The fraction of a product's lanes that filters fill.
double apus_winograd_filling(const apus_winograd *sizes);

/// Floats of scratch memory for `count` tiles.
int64_t apus_winograd_scratch(const apus_winograd *sizes, int64_t count);
/// Computes tiles `first ..< first + count` of the result: convolution, plus `bias` (a float for each filter), plus
/// `addend` (like the result, and may be its memory), cut off below zero where `relu` is set. `bias` and `addend` may
/// be NULL. A NaN stays.
void apus_winograd_forward(const apus_winograd *sizes, const float *image, const float *transformed, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, float *scratch,
                           float *result);

/// Sets the gradient of `images` images from `first_image` on. `result` is the gradient of the convolution's result;
/// the filters are transformed with channels and filters in each other's place, not turned. `scratch` is that of all
/// tiles of these images, with channels and filters in each other's place, too.
void apus_winograd_input_gradient(const apus_winograd *sizes, const float *result, const float *transformed,
                                  int64_t first_image, int64_t images, float *scratch, float *image);

// The filter gradient: sums over tiles for blocks of channels and filters, in parts, which `finish` adds up.

int64_t apus_winograd_block_count(const apus_winograd *sizes);
/// Floats of the sums of one block.
int64_t apus_winograd_block_size(void);
/// Floats of scratch memory of a thread.
int64_t apus_winograd_gradient_scratch(void);
/// `sums` = the sums of block `block` over tiles `first ..< first + count`, at least one; `result` is the gradient of
/// the convolution's result.
void apus_winograd_accumulate(const apus_winograd *sizes, const float *image, const float *result, int64_t block,
                              int64_t first, int64_t count, float *scratch, float *sums);
/// The gradient of channels `first ..< end` of `filter` `[3, 3, channels, filters]` from `sums` `[parts, blocks, ...]`.
void apus_winograd_finish(const apus_winograd *sizes, const float *sums, int64_t parts, int64_t first, int64_t end,
                          float *filter);

#endif
