#ifndef APUS_VECTOR_AUGMENT_H
#define APUS_VECTOR_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

/// The edits of one picture, as kernels/augment.cl has them.
///
/// `x`: bytes where `is_bytes`, else floats, `[height, width, channels]`; `y` and `work`: as many floats. `edits`:
/// `slots` of 12 floats each. `work` is read and written where an edit after the first looks at neighbours.
void apus_augment(bool is_bytes, const void *x, const float *edits, float *y, float *work, int slots, float white,
                  int height, int width, int channels);

#endif
