// What the files of `card` share: the device, and calls that end the program when they fail.
#pragma once

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  cl_platform_id platform;
  cl_device_id device;
  cl_context context;
  // In order; the second notes when each command starts and ends.
  cl_command_queue queue, profiled;
} card;

/// Ends the program with the call's name and status unless it succeeded.
void check(cl_int status, const char *call);
#define CHECK(call) check((call), #call)

/// Opens the first GPU, or where there is none the first device.
card open_card(void);

/// `source` built with `options`; ends the program with the build log when that fails.
cl_program build_program(const card *c, const char *source, const char *options);

/// The kernel `name` of `source`.
cl_kernel build(const card *c, const char *source, const char *options, const char *name);

/// A buffer of zeros.
cl_mem buffer(const card *c, size_t bytes);

double seconds(void);

/// The parts; each prints one line of JSON.
void print_facts(const card *c);
void print_launches(const card *c);
void print_copies(const card *c);
void print_fma(const card *c);
void print_probe(const card *c, const char *path);
