// The most multiply-adds a second that the device does on registers, in float32.
#include "card.h"

// Eight independent chains a work-item hide the latency. What they start from is not known to the compiler.
static const char *const source =
    "#define TYPE_(w) float##w\n"
    "#define TYPE(w) TYPE_(w)\n"
    "typedef TYPE(WIDTH) vec;\n"
    "__kernel void multiply_add(__global float *out, float factor, float term, int repeats) {\n"
    "  vec a = (vec)(factor), b = (vec)(term), s[8];\n"
    "  const float start = (float)get_global_id(0);\n"
    "  for (int i = 0; i < 8; i++) s[i] = (vec)(start + (float)i);\n"
    "  for (int n = 0; n < repeats; n++) {\n"
    "    #pragma unroll\n"
    "    for (int k = 0; k < 16; k++) {\n"
    "      #pragma unroll\n"
    "      for (int i = 0; i < 8; i++) s[i] = fma(s[i], a, b);\n"
    "    }\n"
    "  }\n"
    "  vec sum = s[0];\n"
    "  for (int i = 1; i < 8; i++) sum += s[i];\n"
    "  ((__global vec *)out)[get_global_id(0)] = sum;\n"
    "}\n";

static double once(const card *c, cl_kernel kernel, size_t items, size_t group, int repeats, int width) {
  CHECK(clSetKernelArg(kernel, 3, sizeof repeats, &repeats));
  const double start = seconds();
  CHECK(clEnqueueNDRangeKernel(c->queue, kernel, 1, NULL, &items, &group, 0, NULL, NULL));
  CHECK(clFinish(c->queue));
  return 2.0 * 8 * 16 * repeats * width * (double)items / (seconds() - start) * 1e-9;
}

/// GFLOP/s, a multiply-add counted as two operations, with vectors of `width` floats.
static double rate(const card *c, int width) {
  char options[64];
  snprintf(options, sizeof options, width == 1 ? "-DWIDTH=" : "-DWIDTH=%d", width);
  cl_kernel kernel = build(c, source, options, "multiply_add");
  cl_uint units;
  CHECK(clGetDeviceInfo(c->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL));
  cl_device_type type;
  CHECK(clGetDeviceInfo(c->device, CL_DEVICE_TYPE, sizeof type, &type, NULL));
  // 2048 work-items a unit fill any GPU, eight times over for an even end. A processor does them one by one.
  const size_t group = type == CL_DEVICE_TYPE_CPU ? 1 : 256;
  const size_t items = (size_t)units * (type == CL_DEVICE_TYPE_CPU ? 1 : 2048) * 8;
  cl_mem out = buffer(c, items * 4 * (size_t)width);
  const float factor = 0.999f, term = 0.001f;
  CHECK(clSetKernelArg(kernel, 0, sizeof out, &out));
  CHECK(clSetKernelArg(kernel, 1, sizeof factor, &factor));
  CHECK(clSetKernelArg(kernel, 2, sizeof term, &term));
  once(c, kernel, items, group, 1, width);
  // About a twentieth of a second, from the second run, which is built and warm.
  const double first = once(c, kernel, items, group, 4, width);
  double repeats = 0.05 * first * 1e9 / (2.0 * 8 * 16 * width * (double)items);
  repeats = repeats < 1 ? 1 : repeats > 1e6 ? 1e6 : repeats;
  double best = 0;
  for (int round = 0; round < 8; round++) {
    const double now = once(c, kernel, items, group, (int)repeats, width);
    if (now > best) best = now;
  }
  CHECK(clReleaseMemObject(out));
  return best;
}

void print_fma(const card *c) {
  const double scalar = rate(c, 1), four = rate(c, 4), sixteen = rate(c, 16);
  const double most = scalar > four ? (scalar > sixteen ? scalar : sixteen) : (four > sixteen ? four : sixteen);
  printf("{\"gflops\": %.0f, \"by_vector_width\": {\"1\": %.0f, \"4\": %.0f, \"16\": %.0f}}\n", most, scalar, four,
         sixteen);
}
