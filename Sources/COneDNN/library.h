// The loaded library: a table of its functions, and what versions 2 and 3 do differently.
#ifndef APUS_ONEDNN_LIBRARY_H
#define APUS_ONEDNN_LIBRARY_H

#include "COneDNN.h"
#include "api.h"

typedef struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  DNNL_FUNCTIONS(MEMBER)
  // Only those of the loaded version are set.
  struct {
    DNNL_2_FUNCTIONS(MEMBER)
  } v2;
  struct {
    DNNL_3_FUNCTIONS(MEMBER)
  } v3;
#undef MEMBER
  bool is_version_3;
} apus_dnnl_library;

/// Filled by `apus_onednn_load`.
extern apus_dnnl_library apus_dnnl;

// Runs a call and leaves the function's cleanup to `done` when it fails.
#define TRY(call) \
  do { \
    status = (call); \
    if (status != dnnl_success) goto done; \
  } while (0)

// A layout is zero until it is made; freeing one that was not made does nothing.

dnnl_status_t apus_dnnl_make_strided(layout *made, int rank, const int64_t *dims, const int64_t *strides);
dnnl_status_t apus_dnnl_make_tagged(layout *made, int rank, const int64_t *dims, dnnl_format_tag_t tag);
layout_ref apus_dnnl_ref(const layout *made);
void apus_dnnl_free_layout(layout *made);

/// Adds what is in the result's memory.
dnnl_status_t apus_dnnl_append_sum(dnnl_post_ops_t post_ops);
/// max(x, 0) that keeps a NaN.
dnnl_status_t apus_dnnl_append_relu(dnnl_post_ops_t post_ops);

/// A pass of a convolution over these layouts; `bias` may be NULL.
typedef struct {
  layout_ref image, filter, bias, result;
} apus_dnnl_operands;
dnnl_status_t apus_dnnl_describe_convolution(dnnl_engine_t engine, const apus_convolution *sizes, apus_dnnl_operands l,
                                             dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *description);
/// `c = a * b + bias`; `bias` may be NULL.
dnnl_status_t apus_dnnl_describe_product(dnnl_engine_t engine, layout_ref a, layout_ref b, layout_ref bias,
                                         layout_ref c, dnnl_primitive_attr_t attributes,
                                         dnnl_primitive_desc_t *description);

#endif
