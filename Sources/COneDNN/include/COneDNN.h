// A small face of oneDNN, the same over versions 2 and 3 of its C API: convolutions and products of float32 arrays,
// bound to their memory once and executed any number of times.
#ifndef APUS_ONEDNN_H
#define APUS_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Engine and stream that operations share.
typedef struct apus_onednn apus_onednn;
/// A primitive with its arguments and the reorders around it.
typedef struct apus_onednn_op apus_onednn_op;

typedef enum {
  APUS_CONVOLUTION_FORWARD,
  APUS_CONVOLUTION_INPUT_GRADIENT,
  APUS_CONVOLUTION_FILTER_GRADIENT,
} apus_convolution_pass;

/// Sizes of a convolution: images NHWC, filters [height, width, channels / groups, filters].
typedef struct {
  apus_convolution_pass pass;
  int64_t images, height, width, channels;
  int64_t filter_height, filter_width, filters;
  int64_t result_height, result_width;
  int64_t groups;
  /// Vertical, horizontal. A dilation of 1 means none.
  int64_t stride[2], dilation[2];
  /// Top and left, then bottom and right.
  int64_t padding_before[2], padding_after[2];
  /// Forward pass only: whether it is added to what `result` holds; then whether it passes through max(x, 0).
  bool accumulates, relu;
  /// Whether the filter, brought into the library's layout, is kept from call to call, in memory of the operation.
  bool keeps_filter;
} apus_convolution;

/// Sizes of `batch` products c[m, n] = sum over k of a[m, k] * b[k, n], row-major.
typedef struct {
  int64_t batch, m, n, k;
  /// Whether an operand is stored transposed.
  bool transpose_a, transpose_b;
  bool relu;
} apus_product;

/// Loads the library, version 2 or 3: once, before all functions below. Sets the environment variable `GOMP_SPINCOUNT`
/// to 1000 where neither it nor `OMP_WAIT_POLICY` is set, so that the library's idle threads soon leave the cores to
/// other programs.
/// @return NULL, or what failed, in the loader's words.
const char *apus_onednn_load(void);

/// The library that is to be loaded in place of the system's: the environment variable `APUS_ONEDNN`; NULL where it is
/// not set.
const char *apus_onednn_wanted(void);

/// Version of the loaded library, as "2.6.3".
const char *apus_onednn_version(void);
/// The name of a status that a function below returned; 0 is success.
const char *apus_onednn_status_name(int status);

/// @return NULL where the library cannot make a CPU engine.
apus_onednn *apus_onednn_open(void);
void apus_onednn_close(apus_onednn *library);

/// Binds a convolution pass. `image`, `filter` and `result` are the operands or their gradients: the one that the pass
/// computes is written, the other two are read. `bias` (one float a filter) may be NULL; only the forward pass has one.
/// @return 0, or a status of the library.
int apus_onednn_convolution(apus_onednn *library, const apus_convolution *sizes, float *image, float *filter,
                            float *bias, float *result, apus_onednn_op **op);

/// Binds a product. `bias` (n floats) may be NULL.
/// @return 0, or a status of the library.
int apus_onednn_product(apus_onednn *library, const apus_product *sizes, float *a, float *b, float *bias, float *c,
                        apus_onednn_op **op);

/// Bytes of scratch memory that executing `op` needs.
size_t apus_onednn_scratch_size(const apus_onednn_op *op);

/// Runs `op` to its end. `scratch` is 64-byte aligned; its contents are not kept between calls. `filter_changed` may be
/// false where the operation keeps its filter and ran since that last changed.
/// @return 0, or a status of the library.
int apus_onednn_execute(apus_onednn_op *op, void *scratch, bool filter_changed);
void apus_onednn_destroy(apus_onednn_op *op);

#endif
