#ifdef APUS_OPENCL
// For RTLD_DEFAULT and setenv.
#define _GNU_SOURCE
#include "COpenCL.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if __APPLE__
#define LIBRARY "/System/Library/Frameworks/OpenCL.framework/OpenCL"
#else
#define LIBRARY "libOpenCL.so.1"
#endif

// pocl asks hwloc for the size of the memory and ends the process when it gets none. hwloc reads the system's files on
// processors, which some containers (gVisor's) do not have; there it is told what the C library knows.
static void describe_hidden_machine(void) {
#if __linux__
  if (access("/sys/devices/system/cpu/cpu0/topology", F_OK) == 0 || getenv("HWLOC_XMLFILE") != NULL) return;
  const long long bytes = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  char text[80];
  snprintf(text, sizeof(text), "numa:1(memory=%lld) pu:%ld", bytes, sysconf(_SC_NPROCESSORS_ONLN));
  setenv("HWLOC_SYNTHETIC", text, /* overwrite */ 0);
#endif
}

static _Atomic(const char *) current_name;
static _Atomic unsigned long begun;

// Two plain stores and one after the call, for they surround every launch: no locks, no clocks.
static inline void begin(const char *name) {
  const unsigned long count = atomic_load_explicit(&begun, memory_order_relaxed);
  atomic_store_explicit(&begun, count + 1, memory_order_relaxed);
  atomic_store_explicit(&current_name, name, memory_order_relaxed);
}

static inline void end(void) { atomic_store_explicit(&current_name, NULL, memory_order_relaxed); }

apus_opencl_call apus_opencl_current_call(void) {
  return (apus_opencl_call){
    .name = atomic_load_explicit(&current_name, memory_order_relaxed),
    .count = atomic_load_explicit(&begun, memory_order_relaxed),
  };
}

// The library's own functions, and for each one that notes the call.
static apus_opencl library;

#define APUS_OPENCL_NOTED(result, name, parameters, arguments) \
  static result CL_API_CALL noted_##name parameters { \
    begin(#name); \
    result outcome = library.name arguments; \
    end(); \
    return outcome; \
  }
#define APUS_OPENCL_NOTED_STATUS(...) APUS_OPENCL_NOTED(cl_int, __VA_ARGS__)
APUS_OPENCL_FUNCTIONS(APUS_OPENCL_NOTED_STATUS, APUS_OPENCL_NOTED)

const char *apus_opencl_load(apus_opencl *table) {
  describe_hidden_machine();
  begin("dlopen of " LIBRARY);
  void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  end();
  if (handle == NULL) return dlerror();
  // By the default order, in which a preloaded library (a tracer, Oclgrind) comes first.
#define APUS_OPENCL_LOOK_UP(name, ...) \
  library.name = (__typeof__(name) *)dlsym(RTLD_DEFAULT, #name); \
  if (library.name == NULL) return dlerror(); \
  table->name = noted_##name;
#define APUS_OPENCL_LOOK_UP_MAKER(result, ...) APUS_OPENCL_LOOK_UP(__VA_ARGS__)
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_LOOK_UP, APUS_OPENCL_LOOK_UP_MAKER)
  return NULL;
}
#endif
