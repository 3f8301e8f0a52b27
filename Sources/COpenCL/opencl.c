#ifdef APUS_OPENCL
// For RTLD_DEFAULT and setenv.
#define _GNU_SOURCE
#include "COpenCL.h"

#include <dlfcn.h>
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

const char *apus_opencl_load(apus_opencl *table) {
  describe_hidden_machine();
  if (dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL) == NULL) return dlerror();
  // By the default order, in which a preloaded library (a tracer, Oclgrind) comes first.
#define APUS_OPENCL_LOOK_UP(name) \
  table->name = (__typeof__(name) *)dlsym(RTLD_DEFAULT, #name); \
  if (table->name == NULL) return dlerror();
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_LOOK_UP)
  return NULL;
}
#endif
