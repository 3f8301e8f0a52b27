#ifdef APUS_ONEDNN

#include "library.h"

#include <stdlib.h>

// MARK: - Library and operations

struct apus_onednn {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
};

enum { MAXIMUM_ARGUMENTS = 6, MAXIMUM_MEMORIES = 7, MAXIMUM_STEPS = 3 };

typedef struct {
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t arguments[MAXIMUM_ARGUMENTS];
  int argument_count;
} step;

struct apus_onednn_op {
  apus_onednn *library;
  step steps[MAXIMUM_STEPS];
  int step_count;
  dnnl_memory_t memories[MAXIMUM_MEMORIES];
  int memory_count;
  // Both lie in the caller's scratch memory: what the primitive asks for, then the filter in the primitive's layout.
  dnnl_memory_t scratchpad, inner_filter;
  // The first step fills a filter that is kept.
  bool keeps_filter;
  size_t scratchpad_size, scratch_size;
  void *bound_scratch;
};

const char *apus_onednn_status_name(int status) { return apus_dnnl.status2str((dnnl_status_t)status); }

apus_onednn *apus_onednn_open(void) {
  apus_onednn *library = calloc(1, sizeof *library);
  if (!library) return NULL;
  if (apus_dnnl.engine_create(&library->engine, dnnl_cpu, 0) != dnnl_success ||
      apus_dnnl.stream_create(&library->stream, library->engine, dnnl_stream_default_flags) != dnnl_success) {
    apus_onednn_close(library);
    return NULL;
  }
  return library;
}

void apus_onednn_close(apus_onednn *library) {
  if (library->stream) apus_dnnl.stream_destroy(library->stream);
  if (library->engine) apus_dnnl.engine_destroy(library->engine);
  free(library);
}

void apus_onednn_destroy(apus_onednn_op *op) {
  for (int i = 0; i < op->step_count; i++) apus_dnnl.primitive_destroy(op->steps[i].primitive);
  for (int i = 0; i < op->memory_count; i++) apus_dnnl.memory_destroy(op->memories[i]);
  free(op);
}

size_t apus_onednn_scratch_size(const apus_onednn_op *op) { return op->scratch_size; }

int apus_onednn_execute(apus_onednn_op *op, void *scratch, bool filter_changed) {
  dnnl_status_t status = dnnl_success;
  if (scratch != op->bound_scratch) {
    if (op->scratchpad) TRY(apus_dnnl.memory_set_data_handle(op->scratchpad, scratch));
    if (op->inner_filter) TRY(apus_dnnl.memory_set_data_handle(op->inner_filter, (char *)scratch + op->scratchpad_size));
    op->bound_scratch = scratch;
  }
  for (int i = op->keeps_filter && !filter_changed ? 1 : 0; i < op->step_count; i++)
    TRY(apus_dnnl.primitive_execute(op->steps[i].primitive, op->library->stream, op->steps[i].argument_count,
                               op->steps[i].arguments));
  status = apus_dnnl.stream_wait(op->library->stream);
done:
  return status;
}

// MARK: - Building operations

static dnnl_status_t add_memory(apus_onednn_op *op, layout_ref layout, void *data, dnnl_memory_t *memory) {
  dnnl_status_t status = apus_dnnl.memory_create(memory, layout, op->library->engine, data);
  if (status == dnnl_success) op->memories[op->memory_count++] = *memory;
  return status;
}

static void add_argument(step *step, int index, dnnl_memory_t memory) {
  step->arguments[step->argument_count++] = (dnnl_exec_arg_t){index, memory};
}

static dnnl_status_t add_reorder(apus_onednn_op *op, layout_ref from, dnnl_memory_t source, layout_ref to,
                                 dnnl_memory_t target) {
  dnnl_primitive_desc_t description = NULL;
  step *step = &op->steps[op->step_count];
  dnnl_engine_t engine = op->library->engine;
  dnnl_status_t status;
  TRY(apus_dnnl.reorder_primitive_desc_create(&description, from, engine, to, engine, NULL));
  TRY(apus_dnnl.primitive_create(&step->primitive, description));
  op->step_count++;
  add_argument(step, DNNL_ARG_FROM, source);
  add_argument(step, DNNL_ARG_TO, target);
done:
  if (description) apus_dnnl.primitive_desc_destroy(description);
  return status;
}

// The main step: its primitive and its scratchpad. Other arguments are added by the caller.
static dnnl_status_t add_primitive(apus_onednn_op *op, const_dnnl_primitive_desc_t description, step **added) {
  step *step = &op->steps[op->step_count];
  dnnl_status_t status;
  TRY(apus_dnnl.primitive_create(&step->primitive, description));
  op->step_count++;
  if (op->scratchpad) add_argument(step, DNNL_ARG_SCRATCHPAD, op->scratchpad);
  *added = step;
done:
  return status;
}

static dnnl_status_t add_scratchpad(apus_onednn_op *op, const_dnnl_primitive_desc_t description) {
  layout_ref wanted = apus_dnnl.primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
  size_t size = wanted ? apus_dnnl.memory_desc_get_size(wanted) : 0;
  op->scratchpad_size = (size + 63) / 64 * 64;
  op->scratch_size = op->scratchpad_size;
  return size ? add_memory(op, wanted, NULL, &op->scratchpad) : dnnl_success;
}

// Scratch memory of the caller; after the operation the sum with the old result and max(x, 0), where they are wanted.
static dnnl_status_t make_attributes(bool accumulates, bool relu, dnnl_primitive_attr_t *attributes) {
  dnnl_post_ops_t post_ops = NULL;
  dnnl_status_t status;
  TRY(apus_dnnl.primitive_attr_create(attributes));
  TRY(apus_dnnl.primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user));
  if (accumulates || relu) {
    TRY(apus_dnnl.post_ops_create(&post_ops));
    if (accumulates) TRY(apus_dnnl_append_sum(post_ops));
    if (relu) TRY(apus_dnnl_append_relu(post_ops));
    TRY(apus_dnnl.primitive_attr_set_post_ops(*attributes, post_ops));
  }
done:
  if (post_ops) apus_dnnl.post_ops_destroy(post_ops);
  return status;
}

// MARK: - Convolution

typedef struct {
  layout image, result, bias;
  // The filter as the graph has it, and in the layout of the library's choice.
  layout filter, any_filter;
} convolution_layouts;

static dnnl_status_t make_layouts(const apus_convolution *c, bool has_bias, convolution_layouts *l) {
  dnnl_status_t status;
  const dnnl_dims_t image = {c->images, c->channels, c->height, c->width};
  const dnnl_dims_t image_strides = {c->height * c->width * c->channels, 1, c->width * c->channels, c->channels};
  TRY(apus_dnnl_make_strided(&l->image, 4, image, image_strides));

  const int64_t row = c->result_width * c->filters;
  const dnnl_dims_t result = {c->images, c->filters, c->result_height, c->result_width};
  const dnnl_dims_t result_strides = {c->result_height * row, 1, row, c->filters};
  TRY(apus_dnnl_make_strided(&l->result, 4, result, result_strides));

  const int64_t inputs = c->channels / c->groups, outputs = c->filters / c->groups;
  const int64_t cell = inputs * c->filters;
  if (c->groups == 1) {
    const dnnl_dims_t filter = {outputs, inputs, c->filter_height, c->filter_width};
    const dnnl_dims_t strides = {1, c->filters, c->filter_width * cell, cell};
    TRY(apus_dnnl_make_strided(&l->filter, 4, filter, strides));
    TRY(apus_dnnl_make_tagged(&l->any_filter, 4, filter, dnnl_format_tag_any));
  } else {
    const dnnl_dims_t filter = {c->groups, outputs, inputs, c->filter_height, c->filter_width};
    const dnnl_dims_t strides = {outputs, 1, c->filters, c->filter_width * cell, cell};
    TRY(apus_dnnl_make_strided(&l->filter, 5, filter, strides));
    TRY(apus_dnnl_make_tagged(&l->any_filter, 5, filter, dnnl_format_tag_any));
  }
  if (has_bias) {
    const dnnl_dims_t bias = {c->filters};
    TRY(apus_dnnl_make_tagged(&l->bias, 1, bias, dnnl_a));
  }
done:
  return status;
}

static void free_layouts(convolution_layouts *l) {
  apus_dnnl_free_layout(&l->image);
  apus_dnnl_free_layout(&l->result);
  apus_dnnl_free_layout(&l->bias);
  apus_dnnl_free_layout(&l->filter);
  apus_dnnl_free_layout(&l->any_filter);
}

int apus_onednn_convolution(apus_onednn *library, const apus_convolution *sizes, float *image, float *filter,
                            float *bias, float *result, apus_onednn_op **op) {
  const bool writes_filter = sizes->pass == APUS_CONVOLUTION_FILTER_GRADIENT;
  convolution_layouts layouts = {0};
  apus_dnnl_operands operands;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t pass = NULL;
  dnnl_memory_t image_memory, filter_memory, bias_memory, result_memory, used_filter;
  step *main_step;
  dnnl_status_t status = dnnl_out_of_memory;
  apus_onednn_op *made = calloc(1, sizeof *made);
  if (!made) goto done;
  made->library = library;

  TRY(make_layouts(sizes, bias != NULL, &layouts));
  TRY(make_attributes(sizes->accumulates, sizes->relu, &attributes));
  operands = (apus_dnnl_operands){
      .image = apus_dnnl_ref(&layouts.image),
      .filter = apus_dnnl_ref(&layouts.any_filter),
      .bias = bias ? apus_dnnl_ref(&layouts.bias) : NULL,
      .result = apus_dnnl_ref(&layouts.result),
  };
  TRY(apus_dnnl_describe_convolution(library->engine, sizes, operands, attributes, &pass));
  TRY(add_scratchpad(made, pass));
  TRY(add_memory(made, apus_dnnl_ref(&layouts.image), image, &image_memory));
  TRY(add_memory(made, apus_dnnl_ref(&layouts.filter), filter, &filter_memory));
  TRY(add_memory(made, apus_dnnl_ref(&layouts.result), result, &result_memory));

  // The filter is small and used many times: it is brought to and from the layout that the library likes best.
  used_filter = filter_memory;
  layout_ref inner =
      apus_dnnl.primitive_desc_query_md(pass, writes_filter ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  const bool reorders = !apus_dnnl.memory_desc_equal(inner, apus_dnnl_ref(&layouts.filter));
  if (reorders) {
    made->keeps_filter = sizes->keeps_filter && !writes_filter;
    TRY(add_memory(made, inner, made->keeps_filter ? DNNL_MEMORY_ALLOCATE : NULL, &used_filter));
    if (!made->keeps_filter) {
      made->inner_filter = used_filter;
      made->scratch_size += apus_dnnl.memory_desc_get_size(inner);
    }
    if (!writes_filter) TRY(add_reorder(made, apus_dnnl_ref(&layouts.filter), filter_memory, inner, used_filter));
  }

  TRY(add_primitive(made, pass, &main_step));
  const bool is_forward = sizes->pass == APUS_CONVOLUTION_FORWARD;
  const bool writes_image = sizes->pass == APUS_CONVOLUTION_INPUT_GRADIENT;
  add_argument(main_step, writes_image ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, image_memory);
  add_argument(main_step, writes_filter ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, used_filter);
  add_argument(main_step, is_forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, result_memory);
  if (bias) {
    TRY(add_memory(made, apus_dnnl_ref(&layouts.bias), bias, &bias_memory));
    add_argument(main_step, DNNL_ARG_BIAS, bias_memory);
  }
  if (reorders && writes_filter)
    TRY(add_reorder(made, inner, used_filter, apus_dnnl_ref(&layouts.filter), filter_memory));
done:
  if (pass) apus_dnnl.primitive_desc_destroy(pass);
  if (attributes) apus_dnnl.primitive_attr_destroy(attributes);
  free_layouts(&layouts);
  if (status == dnnl_success) {
    *op = made;
  } else if (made) {
    apus_onednn_destroy(made);
  }
  return status;
}

// MARK: - Product

int apus_onednn_product(apus_onednn *library, const apus_product *s, float *a, float *b, float *bias, float *c,
                        apus_onednn_op **op) {
  layout a_layout = {0}, b_layout = {0}, c_layout = {0}, bias_layout = {0};
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t product = NULL;
  dnnl_memory_t memory;
  step *main_step;
  dnnl_status_t status = dnnl_out_of_memory;
  apus_onednn_op *made = calloc(1, sizeof *made);
  if (!made) goto done;
  made->library = library;

  // Without a batch the library has faster ways for two axes than for three: skip the first.
  const int skip = s->batch == 1 ? 1 : 0, rank = 3 - skip;
  const dnnl_dims_t a_dims = {s->batch, s->m, s->k}, b_dims = {s->batch, s->k, s->n}, c_dims = {s->batch, s->m, s->n};
  const dnnl_dims_t a_strides = {s->m * s->k, s->transpose_a ? 1 : s->k, s->transpose_a ? s->m : 1};
  const dnnl_dims_t b_strides = {s->k * s->n, s->transpose_b ? 1 : s->n, s->transpose_b ? s->k : 1};
  const dnnl_dims_t c_strides = {s->m * s->n, s->n, 1};
  const dnnl_dims_t bias_dims = {1, 1, s->n}, bias_strides = {s->n, s->n, 1};
  TRY(apus_dnnl_make_strided(&a_layout, rank, a_dims + skip, a_strides + skip));
  TRY(apus_dnnl_make_strided(&b_layout, rank, b_dims + skip, b_strides + skip));
  TRY(apus_dnnl_make_strided(&c_layout, rank, c_dims + skip, c_strides + skip));
  if (bias) TRY(apus_dnnl_make_strided(&bias_layout, rank, bias_dims + skip, bias_strides + skip));
  TRY(make_attributes(false, s->relu, &attributes));
  TRY(apus_dnnl_describe_product(library->engine, apus_dnnl_ref(&a_layout), apus_dnnl_ref(&b_layout),
                                 bias ? apus_dnnl_ref(&bias_layout) : NULL, apus_dnnl_ref(&c_layout), attributes,
                                 &product));
  TRY(add_scratchpad(made, product));
  TRY(add_primitive(made, product, &main_step));
  TRY(add_memory(made, apus_dnnl_ref(&a_layout), a, &memory));
  add_argument(main_step, DNNL_ARG_SRC, memory);
  TRY(add_memory(made, apus_dnnl_ref(&b_layout), b, &memory));
  add_argument(main_step, DNNL_ARG_WEIGHTS, memory);
  TRY(add_memory(made, apus_dnnl_ref(&c_layout), c, &memory));
  add_argument(main_step, DNNL_ARG_DST, memory);
  if (bias) {
    TRY(add_memory(made, apus_dnnl_ref(&bias_layout), bias, &memory));
    add_argument(main_step, DNNL_ARG_BIAS, memory);
  }
done:
  if (product) apus_dnnl.primitive_desc_destroy(product);
  if (attributes) apus_dnnl.primitive_attr_destroy(attributes);
  apus_dnnl_free_layout(&a_layout);
  apus_dnnl_free_layout(&b_layout);
  apus_dnnl_free_layout(&c_layout);
  apus_dnnl_free_layout(&bias_layout);
  if (status == dnnl_success) {
    *op = made;
  } else if (made) {
    apus_onednn_destroy(made);
  }
  return status;
}

#endif
