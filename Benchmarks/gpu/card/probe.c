// One question to the driver: a small program in OpenCL C, or PTX text as a binary, whose kernel `probe` has one
// work-group of 32 and writes a 1 for each work-item that found what it expected. A kernel `rate` beside it is timed;
// the first line of the file then tells how many operations a warp does in each of its repeats.
#include "card.h"

#include <string.h>

enum { lanes = 32, words = 1024 };

static char *contents(const char *path, size_t *length) {
  static char text[1 << 16];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(66);
  }
  *length = fread(text, 1, sizeof text - 1, file);
  text[*length] = 0;
  fclose(file);
  return text;
}

static cl_program from_binary(const card *c, const char *text, size_t length) {
  cl_int taken, status;
  const unsigned char *binary = (const unsigned char *)text;
  cl_program program = clCreateProgramWithBinary(c->context, 1, &c->device, &length, &binary, &taken, &status);
  check(status, "clCreateProgramWithBinary");
  check(taken, "the binary");
  CHECK(clBuildProgram(program, 1, &c->device, "", NULL, NULL));
  return program;
}

static int right_lanes(const card *c, cl_program program) {
  cl_int status;
  cl_kernel kernel = clCreateKernel(program, "probe", &status);
  check(status, "clCreateKernel");
  cl_mem out = buffer(c, words * 4);
  CHECK(clSetKernelArg(kernel, 0, sizeof out, &out));
  const size_t items = lanes;
  CHECK(clEnqueueNDRangeKernel(c->queue, kernel, 1, NULL, &items, &items, 0, NULL, NULL));
  cl_uint found[lanes];
  CHECK(clEnqueueReadBuffer(c->queue, out, CL_TRUE, 0, sizeof found, found, 0, NULL, NULL));
  int right = 0;
  for (int i = 0; i < lanes; i++) right += found[i] == 1;
  return right;
}

/// TFLOP/s of `rate`: the best of five runs of about a fiftieth of a second.
static double rate(const card *c, cl_kernel kernel, double operations) {
  cl_uint units;
  CHECK(clGetDeviceInfo(c->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL));
  const size_t group = 128, items = (size_t)units * 2048 * 4;
  cl_mem out = buffer(c, items * 4);
  CHECK(clSetKernelArg(kernel, 0, sizeof out, &out));
  double best = 0;
  int repeats = 64;
  for (int round = 0; round < 7; round++) {
    CHECK(clSetKernelArg(kernel, 1, sizeof repeats, &repeats));
    const double start = seconds();
    CHECK(clEnqueueNDRangeKernel(c->queue, kernel, 1, NULL, &items, &group, 0, NULL, NULL));
    CHECK(clFinish(c->queue));
    const double time = seconds() - start;
    const double now = operations * repeats * (double)(items / lanes) / time * 1e-12;
    // The first run is cold, the second tells how many repeats are enough.
    if (round == 1) {
      const double wanted = repeats * 0.02 / time;
      repeats = wanted < 64 ? 64 : wanted > 1e6 ? 1000000 : (int)wanted;
    }
    if (round > 1 && now > best) best = now;
  }
  return best;
}

void print_probe(const card *c, const char *path) {
  size_t length;
  const char *text = contents(path, &length);
  const size_t name = strlen(path);
  const int is_binary = name > 4 && strcmp(path + name - 4, ".ptx") == 0;
  cl_program program = is_binary ? from_binary(c, text, length) : build_program(c, text, "");
  printf("{\"right\": %d, \"of\": %d", right_lanes(c, program), lanes);
  fflush(stdout);
  double operations;
  if (sscanf(text, "// operations a warp and repeat: %lf", &operations) == 1) {
    cl_int status;
    cl_kernel kernel = clCreateKernel(program, "rate", &status);
    check(status, "clCreateKernel");
    printf(", \"tflops\": %.1f", rate(c, kernel, operations));
  }
  printf("}\n");
}
