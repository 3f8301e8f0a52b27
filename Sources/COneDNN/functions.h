// oneDNN's C API through a table of functions that is filled at run time, and the differences between its versions.
// The headers that the package is built with decide the version.
#ifndef APUS_ONEDNN_FUNCTIONS_H
#define APUS_ONEDNN_FUNCTIONS_H

#if !__has_include(<oneapi/dnnl/dnnl.h>)
#error "oneapi/dnnl/dnnl.h is missing: install oneDNN's headers (Debian: libdnnl-dev), or build a product without the \
trait OneDNN: swift build --disable-default-traits --product apus"
#endif
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>
#include <oneapi/dnnl/dnnl_version.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

// MARK: - Functions

// Every function that is called, once and without its prefix `dnnl_`: members of the table, and names to look up.
#define DNNL_FUNCTIONS(FUNCTION) \
  FUNCTION(version) \
  FUNCTION(status2str) \
  FUNCTION(engine_create) \
  FUNCTION(engine_destroy) \
  FUNCTION(stream_create) \
  FUNCTION(stream_destroy) \
  FUNCTION(stream_wait) \
  FUNCTION(memory_create) \
  FUNCTION(memory_destroy) \
  FUNCTION(memory_set_data_handle) \
  FUNCTION(memory_desc_equal) \
  FUNCTION(memory_desc_get_size) \
  FUNCTION(primitive_attr_create) \
  FUNCTION(primitive_attr_destroy) \
  FUNCTION(primitive_attr_set_post_ops) \
  FUNCTION(primitive_attr_set_scratchpad_mode) \
  FUNCTION(post_ops_create) \
  FUNCTION(post_ops_destroy) \
  FUNCTION(post_ops_append_eltwise) \
  FUNCTION(post_ops_append_sum) \
  FUNCTION(primitive_desc_destroy) \
  FUNCTION(primitive_desc_query_md) \
  FUNCTION(reorder_primitive_desc_create) \
  FUNCTION(primitive_create) \
  FUNCTION(primitive_destroy) \
  FUNCTION(primitive_execute) \
  DNNL_VERSION_FUNCTIONS(FUNCTION)

#if DNNL_VERSION_MAJOR >= 3
#define DNNL_VERSION_FUNCTIONS(FUNCTION) \
  FUNCTION(memory_desc_create_with_strides) \
  FUNCTION(memory_desc_create_with_tag) \
  FUNCTION(memory_desc_destroy) \
  FUNCTION(convolution_forward_primitive_desc_create) \
  FUNCTION(convolution_backward_data_primitive_desc_create) \
  FUNCTION(convolution_backward_weights_primitive_desc_create) \
  FUNCTION(matmul_primitive_desc_create)
#else
#define DNNL_VERSION_FUNCTIONS(FUNCTION) \
  FUNCTION(memory_desc_init_by_strides) \
  FUNCTION(memory_desc_init_by_tag) \
  FUNCTION(primitive_desc_create) \
  FUNCTION(dilated_convolution_forward_desc_init) \
  FUNCTION(dilated_convolution_backward_data_desc_init) \
  FUNCTION(dilated_convolution_backward_weights_desc_init) \
  FUNCTION(matmul_desc_init)
#endif

typedef struct {
#define MEMBER(name) __typeof__(dnnl_##name) *name;
  DNNL_FUNCTIONS(MEMBER)
#undef MEMBER
} dnnl_functions;

/// Loads the library, and GNU's OpenMP with it, and fills `table`.
/// @return NULL, or what failed in the loader's words.
const char *apus_dnnl_load(dnnl_functions *table);

// MARK: - Layouts, by names for both versions

// Version 2 has layouts by value and operation descriptors; version 3 has layouts behind handles and makes primitive
// descriptors directly. `dnnl` is the table where these are used.
typedef dnnl_memory_desc_t layout;
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t layout_ref;
#define REF(l) (l)
#define make_strided(l, rank, dims, strides) dnnl.memory_desc_create_with_strides(l, rank, dims, dnnl_f32, strides)
#define make_tagged(l, rank, dims, type, tag) dnnl.memory_desc_create_with_tag(l, rank, dims, type, tag)
#define free_layout(l) (*(l) ? (void)dnnl.memory_desc_destroy(*(l)) : (void)0)
#else
typedef const dnnl_memory_desc_t *layout_ref;
#define REF(l) (&(l))
#define make_strided(l, rank, dims, strides) dnnl.memory_desc_init_by_strides(l, rank, dims, dnnl_f32, strides)
#define make_tagged(l, rank, dims, type, tag) dnnl.memory_desc_init_by_tag(l, rank, dims, type, tag)
#define free_layout(l) ((void)(l))
#endif

#endif
