// card facts|launches|copies|fma|probe FILE: what an OpenCL device is and can do at most, without anything of Apus: the figures
// that its speeds are to be seen beside. Each call prints one line of JSON.
#define _POSIX_C_SOURCE 200809L
#include "card.h"

#include <string.h>
#include <time.h>

void check(cl_int status, const char *call) {
  if (status == CL_SUCCESS) return;
  fprintf(stderr, "card: %s: status %d\n", call, status);
  exit(1);
}

double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int find(card *c, cl_device_type type) {
  cl_platform_id platforms[16];
  cl_uint count = 0;
  CHECK(clGetPlatformIDs(16, platforms, &count));
  for (cl_uint i = 0; i < count && i < 16; i++) {
    if (clGetDeviceIDs(platforms[i], type, 1, &c->device, NULL) != CL_SUCCESS) continue;
    c->platform = platforms[i];
    return 1;
  }
  return 0;
}

card open_card(void) {
  card c = {0};
  if (!find(&c, CL_DEVICE_TYPE_GPU) && !find(&c, CL_DEVICE_TYPE_ALL)) {
    fprintf(stderr, "card: there is no OpenCL device\n");
    exit(69);
  }
  cl_int status;
  c.context = clCreateContext(NULL, 1, &c.device, NULL, NULL, &status);
  check(status, "clCreateContext");
  c.queue = clCreateCommandQueue(c.context, c.device, 0, &status);
  check(status, "clCreateCommandQueue");
  c.profiled = clCreateCommandQueue(c.context, c.device, CL_QUEUE_PROFILING_ENABLE, &status);
  check(status, "clCreateCommandQueue with profiling");
  return c;
}

cl_program build_program(const card *c, const char *source, const char *options) {
  cl_int status;
  cl_program program = clCreateProgramWithSource(c->context, 1, &source, NULL, &status);
  check(status, "clCreateProgramWithSource");
  status = clBuildProgram(program, 1, &c->device, options, NULL, NULL);
  if (status != CL_SUCCESS) {
    char log[4096] = "";
    clGetProgramBuildInfo(program, c->device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    fprintf(stderr, "card: status %d of a build: %s\n", status, log);
    exit(1);
  }
  return program;
}

cl_kernel build(const card *c, const char *source, const char *options, const char *name) {
  cl_int status;
  cl_program program = build_program(c, source, options);
  cl_kernel kernel = clCreateKernel(program, name, &status);
  check(status, name);
  return kernel;
}

cl_mem buffer(const card *c, size_t bytes) {
  cl_int status;
  cl_mem memory = clCreateBuffer(c->context, CL_MEM_READ_WRITE, bytes, NULL, &status);
  check(status, "clCreateBuffer");
  const cl_uint zero = 0;
  CHECK(clEnqueueFillBuffer(c->queue, memory, &zero, sizeof zero, 0, bytes, 0, NULL, NULL));
  CHECK(clFinish(c->queue));
  return memory;
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*print)(const card *);
  } parts[] = {{"facts", print_facts}, {"launches", print_launches}, {"copies", print_copies}, {"fma", print_fma}};
  for (size_t i = 0; count == 2 && i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(arguments[1], parts[i].name) != 0) continue;
    const card c = open_card();
    parts[i].print(&c);
    return 0;
  }
  if (count == 3 && strcmp(arguments[1], "probe") == 0) {
    const card c = open_card();
    print_probe(&c, arguments[2]);
    return 0;
  }
  fprintf(stderr, "usage: card facts|launches|copies|fma|probe FILE\n");
  return 64;
}
