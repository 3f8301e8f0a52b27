// What it costs to start a kernel that does nothing.
#include "card.h"

static const char *const source = "__kernel void nothing(__global int *x) { if (x[0] == 1) x[1] = 0; }";

static void launch(cl_command_queue queue, cl_kernel kernel, cl_event *event) {
  const size_t global = 64, local = 64;
  CHECK(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, &local, 0, NULL, event));
}

/// Microseconds of each of `count` launches that are waited for together.
static double together(cl_command_queue queue, cl_kernel kernel, int count) {
  const double start = seconds();
  for (int i = 0; i < count; i++) launch(queue, kernel, NULL);
  CHECK(clFinish(queue));
  return (seconds() - start) / count * 1e6;
}

/// The same with an event for each, all read at the end, as a profile of a step has them.
static double with_events(cl_command_queue queue, cl_kernel kernel, int count, double *device) {
  cl_event *events = calloc((size_t)count, sizeof *events);
  if (events == NULL) check(CL_OUT_OF_HOST_MEMORY, "calloc");
  const double start = seconds();
  for (int i = 0; i < count; i++) launch(queue, kernel, &events[i]);
  CHECK(clFinish(queue));
  const double each = (seconds() - start) / count * 1e6;
  double sum = 0;
  for (int i = 0; i < count; i++) {
    cl_ulong began, ended;
    CHECK(clGetEventProfilingInfo(events[i], CL_PROFILING_COMMAND_START, sizeof began, &began, NULL));
    CHECK(clGetEventProfilingInfo(events[i], CL_PROFILING_COMMAND_END, sizeof ended, &ended, NULL));
    sum += (double)(ended - began) * 1e-3;
    CHECK(clReleaseEvent(events[i]));
  }
  *device = sum / count;
  free(events);
  return each;
}

static double one_by_one(cl_command_queue queue, cl_kernel kernel, int count) {
  const double start = seconds();
  for (int i = 0; i < count; i++) {
    launch(queue, kernel, NULL);
    CHECK(clFinish(queue));
  }
  return (seconds() - start) / count * 1e6;
}

/// As many launches as take about a tenth of a second.
static int enough(cl_command_queue queue, cl_kernel kernel) {
  together(queue, kernel, 100);
  const double each = together(queue, kernel, 100);
  const double count = 0.1e6 / each;
  return count < 100 ? 100 : count > 2e4 ? 20000 : (int)count;
}

static double least(double a, double b) { return a < b ? a : b; }

void print_launches(const card *c) {
  cl_kernel kernel = build(c, source, "", "nothing");
  cl_mem memory = buffer(c, 64);
  CHECK(clSetKernelArg(kernel, 0, sizeof memory, &memory));
  const int count = enough(c->queue, kernel);
  double plain = 1e9, profiled = 1e9, events = 1e9, single = 1e9, device = 0;
  for (int round = 0; round < 3; round++) {
    plain = least(plain, together(c->queue, kernel, count));
    profiled = least(profiled, together(c->profiled, kernel, count));
    events = least(events, with_events(c->profiled, kernel, count, &device));
    single = least(single, one_by_one(c->queue, kernel, count / 10));
  }
  printf("{\"launches\": %d, \"microseconds\": {\"plain\": %.3f, \"profiled_queue\": %.3f, "
         "\"profiled_with_events\": %.3f, \"waited_for_each\": %.3f, \"on_device\": %.3f}}\n",
         count, plain, profiled, events, single, device);
}
