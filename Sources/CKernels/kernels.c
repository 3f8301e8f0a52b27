#include "CKernels.h"

#include <string.h>

static const char builtins[] = {
#embed "../../kernels/builtins.cl" suffix(, 0)
};
static const char common[] = {
#embed "../../kernels/common.cl" suffix(, 0)
};
static const char group_tree[] = {
#embed "../../kernels/group_tree.cl" suffix(, 0)
};
static const char probe_sub_groups[] = {
#embed "../../kernels/probe_sub_groups.cl" suffix(, 0)
};
static const char philox[] = {
#embed "../../kernels/philox.cl" suffix(, 0)
};
static const char pointwise[] = {
#embed "../../kernels/pointwise.cl" suffix(, 0)
};
static const char vector_cpu[] = {
#embed "../../kernels/vector_cpu.cl" suffix(, 0)
};
static const char conv2d_cpu[] = {
#embed "../../kernels/conv2d_cpu.cl" suffix(, 0)
};
static const char conv2d_filter_gradient_cpu[] = {
#embed "../../kernels/conv2d_filter_gradient_cpu.cl" suffix(, 0)
};
static const char depthwise_cpu[] = {
#embed "../../kernels/depthwise_cpu.cl" suffix(, 0)
};
static const char winograd_transform_cpu[] = {
#embed "../../kernels/winograd_transform_cpu.cl" suffix(, 0)
};
static const char winograd_cpu[] = {
#embed "../../kernels/winograd_cpu.cl" suffix(, 0)
};
static const char winograd_filter_gradient_cpu[] = {
#embed "../../kernels/winograd_filter_gradient_cpu.cl" suffix(, 0)
};
static const char gemm_cpu[] = {
#embed "../../kernels/gemm_cpu.cl" suffix(, 0)
};
static const char gemm_narrow_cpu[] = {
#embed "../../kernels/gemm_narrow_cpu.cl" suffix(, 0)
};
static const char matrix_tile_gpu[] = {
#embed "../../kernels/matrix_tile_gpu.cl" suffix(, 0)
};
static const char conv2d_gpu[] = {
#embed "../../kernels/conv2d_gpu.cl" suffix(, 0)
};
static const char gemm_gpu[] = {
#embed "../../kernels/gemm_gpu.cl" suffix(, 0)
};
static const char pool2d[] = {
#embed "../../kernels/pool2d.cl" suffix(, 0)
};
static const char reduce[] = {
#embed "../../kernels/reduce.cl" suffix(, 0)
};
static const char channel_sums[] = {
#embed "../../kernels/channel_sums.cl" suffix(, 0)
};
static const char sum_parts[] = {
#embed "../../kernels/sum_parts.cl" suffix(, 0)
};
static const char conv2d_transpose_cpu[] = {
#embed "../../kernels/conv2d_transpose_cpu.cl" suffix(, 0)
};
static const char softmax[] = {
#embed "../../kernels/softmax.cl" suffix(, 0)
};
static const char shaping[] = {
#embed "../../kernels/shaping.cl" suffix(, 0)
};
static const char gather[] = {
#embed "../../kernels/gather.cl" suffix(, 0)
};
static const char augment_move[] = {
#embed "../../kernels/augment_move.cl" suffix(, 0)
};
static const char augment[] = {
#embed "../../kernels/augment.cl" suffix(, 0)
};
static const char normalize_rows_cpu[] = {
#embed "../../kernels/normalize_rows_cpu.cl" suffix(, 0)
};
static const char normalize_samples_cpu[] = {
#embed "../../kernels/normalize_samples_cpu.cl" suffix(, 0)
};
static const char normalize_gpu[] = {
#embed "../../kernels/normalize_gpu.cl" suffix(, 0)
};

#define SOURCE(name) {#name, name}

static const struct {
  const char *name, *text;
} sources[] = {
  SOURCE(builtins), SOURCE(common), SOURCE(group_tree), SOURCE(philox), SOURCE(pointwise), SOURCE(vector_cpu),
  SOURCE(conv2d_cpu), SOURCE(conv2d_transpose_cpu), SOURCE(conv2d_filter_gradient_cpu), SOURCE(depthwise_cpu),
  SOURCE(winograd_transform_cpu), SOURCE(winograd_cpu), SOURCE(winograd_filter_gradient_cpu), SOURCE(gemm_cpu),
  SOURCE(gemm_narrow_cpu), SOURCE(matrix_tile_gpu), SOURCE(conv2d_gpu), SOURCE(gemm_gpu), SOURCE(pool2d),
  SOURCE(reduce), SOURCE(channel_sums), SOURCE(sum_parts), SOURCE(softmax), SOURCE(shaping), SOURCE(gather),
  SOURCE(augment_move), SOURCE(augment), SOURCE(normalize_rows_cpu), SOURCE(normalize_samples_cpu),
  SOURCE(normalize_gpu), SOURCE(probe_sub_groups),
};

const char *apus_kernel_source(const char *name) {
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; ++i) {
    if (strcmp(sources[i].name, name) == 0) return sources[i].text;
  }
  return NULL;
}

const char *apus_kernel_name(size_t number) {
  return number < sizeof sources / sizeof sources[0] ? sources[number].name : NULL;
}
