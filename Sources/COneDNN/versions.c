#ifdef APUS_ONEDNN
// Version 2 has layouts by value and operation descriptors; version 3 has layouts behind handles and makes primitive
// descriptors directly. One program serves both: which one it met is asked here, and nowhere else.
#include "library.h"

// MARK: - Layouts

dnnl_status_t apus_dnnl_make_strided(layout *made, int rank, const int64_t *dims, const int64_t *strides) {
  if (apus_dnnl.is_version_3)
    return apus_dnnl.v3.memory_desc_create_with_strides(&made->handle, rank, dims, dnnl_f32, strides);
  return apus_dnnl.v2.memory_desc_init_by_strides(made, rank, dims, dnnl_f32, strides);
}

dnnl_status_t apus_dnnl_make_tagged(layout *made, int rank, const int64_t *dims, dnnl_format_tag_t tag) {
  if (apus_dnnl.is_version_3)
    return apus_dnnl.v3.memory_desc_create_with_tag(&made->handle, rank, dims, dnnl_f32, tag);
  return apus_dnnl.v2.memory_desc_init_by_tag(made, rank, dims, dnnl_f32, tag);
}

layout_ref apus_dnnl_ref(const layout *made) { return apus_dnnl.is_version_3 ? made->handle : made; }

void apus_dnnl_free_layout(layout *made) {
  if (apus_dnnl.is_version_3 && made->handle) apus_dnnl.v3.memory_desc_destroy(made->handle);
}

// MARK: - After the operation

dnnl_status_t apus_dnnl_append_sum(dnnl_post_ops_t post_ops) {
  if (apus_dnnl.is_version_3) return apus_dnnl.v3.post_ops_append_sum(post_ops, 1.f, 0, dnnl_f32);
  return apus_dnnl.v2.post_ops_append_sum(post_ops, 1.f);
}

// The library's own ReLU makes a NaN 0, which would hide a diverged network from its loss.
//
// This is the hard swish x * clip(2^64 x, 0, 1), whose factor is 0 or 1 unless |x| < 2^-61. All scaling is by powers of
// two and exact; in version 2 a value beyond 2^64 becomes infinite, and negative infinity becomes NaN.
dnnl_status_t apus_dnnl_append_relu(dnnl_post_ops_t post_ops) {
  if (apus_dnnl.is_version_3)
    return apus_dnnl.v3.post_ops_append_eltwise(post_ops, dnnl_3_eltwise_hardswish, 0x1p64f, 0.f);
  // Version 2 has no slope: 2^-64 t * clip(t / 6 + 1 / 2, 0, 1) with t = 2^64 x.
  dnnl_status_t status;
  TRY(apus_dnnl.v2.post_ops_append_eltwise(post_ops, 1.f, dnnl_2_eltwise_linear, 0x1p64f, 0.f));
  TRY(apus_dnnl.v2.post_ops_append_eltwise(post_ops, 0x1p-64f, dnnl_2_eltwise_hardswish, 0.f, 0.f));
done:
  return status;
}

// MARK: - Convolution

// A gradient's description needs that of the forward pass beside it.

static dnnl_status_t describe_convolution_2(dnnl_engine_t engine, const apus_convolution *c, apus_dnnl_operands l,
                                            dnnl_prop_kind_t mode, const int64_t *dilation,
                                            dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *forward,
                                            dnnl_primitive_desc_t *gradient) {
  const dnnl_alg_kind_t kind = dnnl_convolution_direct;
  dnnl_2_operation operation;
  dnnl_status_t status;
  TRY(apus_dnnl.v2.dilated_convolution_forward_desc_init(&operation, mode, kind, l.image, l.filter, l.bias, l.result,
                                                         c->stride, dilation, c->padding_before, c->padding_after));
  const bool is_forward = c->pass == APUS_CONVOLUTION_FORWARD;
  TRY(apus_dnnl.v2.primitive_desc_create(forward, &operation, is_forward ? attributes : NULL, engine, NULL));
  if (c->pass == APUS_CONVOLUTION_INPUT_GRADIENT)
    TRY(apus_dnnl.v2.dilated_convolution_backward_data_desc_init(&operation, kind, l.image, l.filter, l.result,
                                                                 c->stride, dilation, c->padding_before,
                                                                 c->padding_after));
  if (c->pass == APUS_CONVOLUTION_FILTER_GRADIENT)
    TRY(apus_dnnl.v2.dilated_convolution_backward_weights_desc_init(&operation, kind, l.image, l.filter, NULL,
                                                                    l.result, c->stride, dilation, c->padding_before,
                                                                    c->padding_after));
  if (!is_forward) TRY(apus_dnnl.v2.primitive_desc_create(gradient, &operation, attributes, engine, *forward));
done:
  return status;
}

static dnnl_status_t describe_convolution_3(dnnl_engine_t engine, const apus_convolution *c, apus_dnnl_operands l,
                                            dnnl_prop_kind_t mode, const int64_t *dilation,
                                            dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *forward,
                                            dnnl_primitive_desc_t *gradient) {
  const dnnl_alg_kind_t kind = dnnl_convolution_direct;
  const bool is_forward = c->pass == APUS_CONVOLUTION_FORWARD;
  dnnl_status_t status;
  TRY(apus_dnnl.v3.convolution_forward_primitive_desc_create(
      forward, engine, mode, kind, l.image, l.filter, l.bias, l.result, c->stride, dilation, c->padding_before,
      c->padding_after, is_forward ? attributes : NULL));
  if (c->pass == APUS_CONVOLUTION_INPUT_GRADIENT)
    TRY(apus_dnnl.v3.convolution_backward_data_primitive_desc_create(
        gradient, engine, kind, l.image, l.filter, l.result, c->stride, dilation, c->padding_before,
        c->padding_after, *forward, attributes));
  if (c->pass == APUS_CONVOLUTION_FILTER_GRADIENT)
    TRY(apus_dnnl.v3.convolution_backward_weights_primitive_desc_create(
        gradient, engine, kind, l.image, l.filter, NULL, l.result, c->stride, dilation, c->padding_before,
        c->padding_after, *forward, attributes));
done:
  return status;
}

dnnl_status_t apus_dnnl_describe_convolution(dnnl_engine_t engine, const apus_convolution *sizes, apus_dnnl_operands l,
                                             dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *description) {
  // The library counts the cells between taps.
  const int64_t dilation[] = {sizes->dilation[0] - 1, sizes->dilation[1] - 1};
  const bool is_forward = sizes->pass == APUS_CONVOLUTION_FORWARD;
  const dnnl_prop_kind_t mode = is_forward ? dnnl_forward_inference : dnnl_forward_training;
  dnnl_primitive_desc_t forward = NULL, gradient = NULL;
  const dnnl_status_t status =
      (apus_dnnl.is_version_3 ? describe_convolution_3 : describe_convolution_2)(
          engine, sizes, l, mode, dilation, attributes, &forward, &gradient);
  *description = is_forward ? forward : gradient;
  if (forward && !is_forward) apus_dnnl.primitive_desc_destroy(forward);
  return status;
}

// MARK: - Product

dnnl_status_t apus_dnnl_describe_product(dnnl_engine_t engine, layout_ref a, layout_ref b, layout_ref bias,
                                         layout_ref c, dnnl_primitive_attr_t attributes,
                                         dnnl_primitive_desc_t *description) {
  if (apus_dnnl.is_version_3)
    return apus_dnnl.v3.matmul_primitive_desc_create(description, engine, a, b, bias, c, attributes);
  dnnl_2_operation operation;
  dnnl_status_t status;
  TRY(apus_dnnl.v2.matmul_desc_init(&operation, a, b, bias, c));
  TRY(apus_dnnl.v2.primitive_desc_create(description, &operation, attributes, engine, NULL));
done:
  return status;
}

#endif
