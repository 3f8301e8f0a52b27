#ifdef APUS_OPENCL
// For RTLD_DEFAULT.
#define _GNU_SOURCE
#include "COpenCL.h"

#include <dlfcn.h>
#include <stddef.h>

#if __APPLE__
#define LIBRARY "/System/Library/Frameworks/OpenCL.framework/OpenCL"
#else
#define LIBRARY "libOpenCL.so.1"
#endif

const char *apus_opencl_load(apus_opencl *table) {
  if (dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL) == NULL) return dlerror();
  // By the default order, in which a preloaded library (a tracer, Oclgrind) comes first.
#define APUS_OPENCL_LOOK_UP(name) \
  table->name = (__typeof__(name) *)dlsym(RTLD_DEFAULT, #name); \
  if (table->name == NULL) return dlerror();
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_LOOK_UP)
  return NULL;
}
#endif
