// Bytes a second between buffers, by the driver's copy and by a kernel, and between host and device.
#include "card.h"

static const char *const source = "__kernel void copy(__global const float4 *x, __global float4 *y) {\n"
                                  "  const size_t i = get_global_id(0);\n"
                                  "  y[i] = x[i];\n"
                                  "}\n";

typedef struct {
  const card *card;
  cl_kernel kernel;
  cl_mem from, to;
  size_t bytes;
  void *host;
} copies;

static void by_driver(const copies *c) {
  CHECK(clEnqueueCopyBuffer(c->card->queue, c->from, c->to, 0, 0, c->bytes, 0, NULL, NULL));
}

static void by_kernel(const copies *c) {
  const size_t global = c->bytes / 16, local = 256;
  CHECK(clEnqueueNDRangeKernel(c->card->queue, c->kernel, 1, NULL, &global, &local, 0, NULL, NULL));
}

static void upload(const copies *c) {
  CHECK(clEnqueueWriteBuffer(c->card->queue, c->from, CL_FALSE, 0, c->bytes / 4, c->host, 0, NULL, NULL));
}

static void download(const copies *c) {
  CHECK(clEnqueueReadBuffer(c->card->queue, c->from, CL_FALSE, 0, c->bytes / 4, c->host, 0, NULL, NULL));
}

/// GB/s of the best of three rounds of four, after one that does not count.
static double rate(const copies *c, void (*copy)(const copies *), double bytes) {
  double best = 0;
  for (int round = 0; round < 4; round++) {
    const double start = seconds();
    for (int i = 0; i < 4; i++) copy(c);
    CHECK(clFinish(c->card->queue));
    const double now = 4 * bytes / (seconds() - start) * 1e-9;
    if (round > 0 && now > best) best = now;
  }
  return best;
}

void print_copies(const card *c) {
  cl_device_type type;
  CHECK(clGetDeviceInfo(c->device, CL_DEVICE_TYPE, sizeof type, &type, NULL));
  cl_ulong largest;
  CHECK(clGetDeviceInfo(c->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, NULL));
  // Far more than any cache.
  size_t bytes = (type & CL_DEVICE_TYPE_GPU) != 0 ? (size_t)1 << 30 : (size_t)1 << 28;
  while (bytes > largest / 2) bytes /= 2;
  copies all = {c, build(c, source, "", "copy"), buffer(c, bytes), buffer(c, bytes), bytes, calloc(bytes / 4, 1)};
  if (all.host == NULL) check(CL_OUT_OF_HOST_MEMORY, "calloc");
  CHECK(clSetKernelArg(all.kernel, 0, sizeof all.from, &all.from));
  CHECK(clSetKernelArg(all.kernel, 1, sizeof all.to, &all.to));
  const double size = (double)bytes;
  // Between buffers each byte is read and written.
  printf("{\"bytes\": %zu, \"gb_per_s\": {\"driver_copy\": %.1f, ", bytes, rate(&all, by_driver, 2 * size));
  printf("\"kernel_copy\": %.1f, ", rate(&all, by_kernel, 2 * size));
  printf("\"host_to_device\": %.2f, ", rate(&all, upload, size / 4));
  printf("\"device_to_host\": %.2f}}\n", rate(&all, download, size / 4));
}
