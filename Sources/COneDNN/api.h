// The part of oneDNN's C API that is used here, restated, so that nothing of it has to be there when this is built.
//
// Versions 2 and 3 agree in all of it except for the functions of DNNL_2_FUNCTIONS and DNNL_3_FUNCTIONS, and the numbers
// of elementwise kinds. A version's binary interface does not change: its number is in the library's file name.
#ifndef APUS_ONEDNN_API_H
#define APUS_ONEDNN_API_H

#include <stddef.h>
#include <stdint.h>

// MARK: - Types

typedef enum { dnnl_success = 0, dnnl_out_of_memory = 1 } dnnl_status_t;
typedef enum { dnnl_cpu = 1 } dnnl_engine_kind_t;
typedef enum { dnnl_stream_default_flags = 1 } dnnl_stream_flags_t;
typedef enum { dnnl_f32 = 3 } dnnl_data_type_t;
typedef enum { dnnl_format_tag_any = 1, dnnl_a = 2 } dnnl_format_tag_t;
typedef enum { dnnl_scratchpad_mode_user = 1 } dnnl_scratchpad_mode_t;
typedef enum { dnnl_forward_training = 0x40, dnnl_forward_inference = 0x60 } dnnl_prop_kind_t;
typedef enum {
  dnnl_query_weights_md = 131,
  dnnl_query_diff_weights_md = 132,
  dnnl_query_scratchpad_md = 136,
} dnnl_query_t;
typedef enum {
  dnnl_convolution_direct = 1,
  dnnl_2_eltwise_hardswish = 112,
  dnnl_2_eltwise_linear = 127,
  dnnl_3_eltwise_hardswish = 52,
} dnnl_alg_kind_t;

enum {
  DNNL_ARG_SRC = 1,
  DNNL_ARG_FROM = 1,
  DNNL_ARG_DST = 17,
  DNNL_ARG_TO = 17,
  DNNL_ARG_WEIGHTS = 33,
  DNNL_ARG_BIAS = 41,
  DNNL_ARG_SCRATCHPAD = 80,
  DNNL_ARG_DIFF_SRC = 129,
  DNNL_ARG_DIFF_DST = 145,
  DNNL_ARG_DIFF_WEIGHTS = 161,
};

/// A memory's data handle that has the library allocate it.
#define DNNL_MEMORY_ALLOCATE ((void *)(size_t)-1)

typedef int64_t dnnl_dims_t[12];
typedef struct dnnl_engine *dnnl_engine_t;
typedef struct dnnl_stream *dnnl_stream_t;
typedef struct dnnl_memory *dnnl_memory_t;
typedef struct dnnl_post_ops *dnnl_post_ops_t;
typedef struct dnnl_primitive *dnnl_primitive_t;
typedef struct dnnl_primitive_attr *dnnl_primitive_attr_t;
typedef struct dnnl_primitive_desc *dnnl_primitive_desc_t;
typedef const struct dnnl_primitive_desc *const_dnnl_primitive_desc_t;

typedef struct {
  int arg;
  dnnl_memory_t memory;
} dnnl_exec_arg_t;

typedef struct {
  int major, minor, patch;
  // More follows, which is not read.
} dnnl_version_t;

// How an array lies in memory. Version 3 keeps it behind a handle; version 2 writes a struct of 696 bytes of the
// caller's, of which only the address is handed on, as it is with the operation descriptors (at most 5976 bytes).
typedef union {
  void *handle;
  _Alignas(16) char value[1024];
} layout;
typedef const void *layout_ref;
typedef struct {
  _Alignas(16) char value[8192];
} dnnl_2_operation;

// MARK: - Functions

// Every function that is called, once and without its prefix `dnnl_`: members of the table, and names to look up.
#define DNNL_FUNCTIONS(FUNCTION) \
  FUNCTION(const dnnl_version_t *, version, (void)) \
  FUNCTION(const char *, status2str, (dnnl_status_t)) \
  FUNCTION(dnnl_status_t, engine_create, (dnnl_engine_t *, dnnl_engine_kind_t, size_t)) \
  FUNCTION(dnnl_status_t, engine_destroy, (dnnl_engine_t)) \
  FUNCTION(dnnl_status_t, stream_create, (dnnl_stream_t *, dnnl_engine_t, unsigned)) \
  FUNCTION(dnnl_status_t, stream_destroy, (dnnl_stream_t)) \
  FUNCTION(dnnl_status_t, stream_wait, (dnnl_stream_t)) \
  FUNCTION(dnnl_status_t, memory_create, (dnnl_memory_t *, layout_ref, dnnl_engine_t, void *)) \
  FUNCTION(dnnl_status_t, memory_destroy, (dnnl_memory_t)) \
  FUNCTION(dnnl_status_t, memory_set_data_handle, (dnnl_memory_t, void *)) \
  FUNCTION(int, memory_desc_equal, (layout_ref, layout_ref)) \
  FUNCTION(size_t, memory_desc_get_size, (layout_ref)) \
  FUNCTION(dnnl_status_t, primitive_attr_create, (dnnl_primitive_attr_t *)) \
  FUNCTION(dnnl_status_t, primitive_attr_destroy, (dnnl_primitive_attr_t)) \
  FUNCTION(dnnl_status_t, primitive_attr_set_post_ops, (dnnl_primitive_attr_t, dnnl_post_ops_t)) \
  FUNCTION(dnnl_status_t, primitive_attr_set_scratchpad_mode, (dnnl_primitive_attr_t, dnnl_scratchpad_mode_t)) \
  FUNCTION(dnnl_status_t, post_ops_create, (dnnl_post_ops_t *)) \
  FUNCTION(dnnl_status_t, post_ops_destroy, (dnnl_post_ops_t)) \
  FUNCTION(dnnl_status_t, primitive_desc_destroy, (dnnl_primitive_desc_t)) \
  FUNCTION(layout_ref, primitive_desc_query_md, (const_dnnl_primitive_desc_t, dnnl_query_t, int)) \
  FUNCTION(dnnl_status_t, reorder_primitive_desc_create, (dnnl_primitive_desc_t *, layout_ref, dnnl_engine_t, \
    layout_ref, dnnl_engine_t, dnnl_primitive_attr_t)) \
  FUNCTION(dnnl_status_t, primitive_create, (dnnl_primitive_t *, const_dnnl_primitive_desc_t)) \
  FUNCTION(dnnl_status_t, primitive_destroy, (dnnl_primitive_t)) \
  FUNCTION(dnnl_status_t, primitive_execute, (dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *))

// Those of one version, whose members have its number. Dimensions, strides and paddings are arrays of int64_t.
#define DNNL_2_FUNCTIONS(FUNCTION) \
  FUNCTION(dnnl_status_t, memory_desc_init_by_strides, (layout *, int rank, const int64_t *dims, dnnl_data_type_t, \
    const int64_t *strides)) \
  FUNCTION(dnnl_status_t, memory_desc_init_by_tag, (layout *, int rank, const int64_t *dims, dnnl_data_type_t, \
    dnnl_format_tag_t)) \
  FUNCTION(dnnl_status_t, post_ops_append_eltwise, (dnnl_post_ops_t, float scale, dnnl_alg_kind_t, float alpha, \
    float beta)) \
  FUNCTION(dnnl_status_t, post_ops_append_sum, (dnnl_post_ops_t, float scale)) \
  FUNCTION(dnnl_status_t, primitive_desc_create, (dnnl_primitive_desc_t *, const dnnl_2_operation *, \
    dnnl_primitive_attr_t, dnnl_engine_t, const_dnnl_primitive_desc_t forward)) \
  FUNCTION(dnnl_status_t, dilated_convolution_forward_desc_init, (dnnl_2_operation *, dnnl_prop_kind_t, \
    dnnl_alg_kind_t, layout_ref image, layout_ref filter, layout_ref bias, layout_ref result, const int64_t *strides, \
    const int64_t *dilation, const int64_t *before, const int64_t *after)) \
  FUNCTION(dnnl_status_t, dilated_convolution_backward_data_desc_init, (dnnl_2_operation *, dnnl_alg_kind_t, \
    layout_ref image, layout_ref filter, layout_ref result, const int64_t *strides, const int64_t *dilation, \
    const int64_t *before, const int64_t *after)) \
  FUNCTION(dnnl_status_t, dilated_convolution_backward_weights_desc_init, (dnnl_2_operation *, dnnl_alg_kind_t, \
    layout_ref image, layout_ref filter, layout_ref bias, layout_ref result, const int64_t *strides, \
    const int64_t *dilation, const int64_t *before, const int64_t *after)) \
  FUNCTION(dnnl_status_t, matmul_desc_init, (dnnl_2_operation *, layout_ref a, layout_ref b, layout_ref bias, \
    layout_ref c))

#define DNNL_3_FUNCTIONS(FUNCTION) \
  FUNCTION(dnnl_status_t, memory_desc_create_with_strides, (void **, int rank, const int64_t *dims, \
    dnnl_data_type_t, const int64_t *strides)) \
  FUNCTION(dnnl_status_t, memory_desc_create_with_tag, (void **, int rank, const int64_t *dims, dnnl_data_type_t, \
    dnnl_format_tag_t)) \
  FUNCTION(dnnl_status_t, memory_desc_destroy, (void *)) \
  FUNCTION(dnnl_status_t, post_ops_append_eltwise, (dnnl_post_ops_t, dnnl_alg_kind_t, float alpha, float beta)) \
  FUNCTION(dnnl_status_t, post_ops_append_sum, (dnnl_post_ops_t, float scale, int32_t zero, dnnl_data_type_t)) \
  FUNCTION(dnnl_status_t, convolution_forward_primitive_desc_create, (dnnl_primitive_desc_t *, dnnl_engine_t, \
    dnnl_prop_kind_t, dnnl_alg_kind_t, layout_ref image, layout_ref filter, layout_ref bias, layout_ref result, \
    const int64_t *strides, const int64_t *dilation, const int64_t *before, const int64_t *after, \
    dnnl_primitive_attr_t)) \
  FUNCTION(dnnl_status_t, convolution_backward_data_primitive_desc_create, (dnnl_primitive_desc_t *, dnnl_engine_t, \
    dnnl_alg_kind_t, layout_ref image, layout_ref filter, layout_ref result, const int64_t *strides, \
    const int64_t *dilation, const int64_t *before, const int64_t *after, const_dnnl_primitive_desc_t forward, \
    dnnl_primitive_attr_t)) \
  FUNCTION(dnnl_status_t, convolution_backward_weights_primitive_desc_create, (dnnl_primitive_desc_t *, \
    dnnl_engine_t, dnnl_alg_kind_t, layout_ref image, layout_ref filter, layout_ref bias, layout_ref result, \
    const int64_t *strides, const int64_t *dilation, const int64_t *before, const int64_t *after, \
    const_dnnl_primitive_desc_t forward, dnnl_primitive_attr_t)) \
  FUNCTION(dnnl_status_t, matmul_primitive_desc_create, (dnnl_primitive_desc_t *, dnnl_engine_t, layout_ref a, \
    layout_ref b, layout_ref bias, layout_ref c, dnnl_primitive_attr_t))

#endif
