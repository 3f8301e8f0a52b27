// A library to be preloaded in front of an OpenCL driver. APUS_FAULT="clFinish 2 fail" spoils the second call of
// clFinish:
//   fail   the call is not made and returns CL_OUT_OF_RESOURCES
//   null   a function that makes an object returns none, and no error
//   hang   this call and all later ones never return
//   nan    what this read and all later ones give is not a number, with a payload
//   noise  what this read and all later ones give are random bits
// At the end it writes a line "NAME COUNT" for each function into the file that APUS_FAULT_COUNTS names.
#define _GNU_SOURCE
#include "COpenCL.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char faulty[64], kind[16];
static unsigned long at;

__attribute__((constructor)) static void read_fault(void) {
  const char *fault = getenv("APUS_FAULT");
  if (fault != NULL && sscanf(fault, "%63s %lu %15s", faulty, &at, kind) != 3) abort();
}

static int is_kind(const char *name) { return strcmp(kind, name) == 0; }

// Whether call number `count` of `name` is the one to spoil; it may be one that hangs.
static int is_faulty(const char *name, unsigned long count) {
  if (count < at || strcmp(name, faulty) != 0) return 0;
  while (is_kind("hang")) pause();
  return count == at || is_kind("nan") || is_kind("noise");
}

static int spoils_read;

static cl_int read_and_spoil(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
    void *bytes, cl_uint waits, const cl_event *awaited, cl_event *event) {
  static __typeof__(clEnqueueReadBuffer) *next;
  if (next == NULL) next = (__typeof__(clEnqueueReadBuffer) *)dlsym(RTLD_NEXT, "clEnqueueReadBuffer");
  const cl_int status = next(queue, buffer, blocking, offset, size, bytes, waits, awaited, event);
  static uint32_t word = 0x9e3779b9;
  for (size_t i = 0; spoils_read && i + 4 <= size; i += 4) {
    word ^= word << 13, word ^= word >> 17, word ^= word << 5;
    const uint32_t value = is_kind("nan") ? 0x7fc2057f : word;
    memcpy((char *)bytes + i, &value, 4);
  }
  return status;
}

static void *next_named(const char *name) {
  return strcmp(name, "clEnqueueReadBuffer") == 0 ? (void *)read_and_spoil : dlsym(RTLD_NEXT, name);
}

#define FUNCTION(result, name, parameters, arguments, failure) \
  static unsigned long calls_of_##name; \
  result name parameters { \
    static __typeof__(name) *next; \
    if (next == NULL) next = (__typeof__(name) *)next_named(#name); \
    spoils_read = is_faulty(#name, ++calls_of_##name); \
    if (spoils_read && (is_kind("fail") || is_kind("null"))) failure; \
    return next arguments; \
  }
#define STATUS(name, parameters, arguments) \
  FUNCTION(cl_int, name, parameters, arguments, return CL_OUT_OF_RESOURCES)
#define MAKER(result, name, parameters, arguments) \
  FUNCTION(result, name, parameters, arguments, { \
    if (status != NULL) *status = is_kind("null") ? CL_SUCCESS : CL_OUT_OF_RESOURCES; \
    return NULL; \
  })
APUS_OPENCL_FUNCTIONS(STATUS, MAKER)

#define COUNT(name, ...) \
  if (calls_of_##name > 0) fprintf(file, "%s %lu\n", #name, calls_of_##name);
#define COUNT_MADE(result, ...) COUNT(__VA_ARGS__)
__attribute__((destructor)) static void write_counts(void) {
  const char *path = getenv("APUS_FAULT_COUNTS");
  FILE *file = path == NULL ? NULL : fopen(path, "w");
  if (file == NULL) return;
  APUS_OPENCL_FUNCTIONS(COUNT, COUNT_MADE)
  fclose(file);
}
