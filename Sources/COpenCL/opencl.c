#ifdef APUS_OPENCL
#include "COpenCL.h"

#include <dlfcn.h>
#include <stddef.h>

#if __APPLE__
#define LIBRARY "/System/Library/Frameworks/OpenCL.framework/OpenCL"
#else
#define LIBRARY "libOpenCL.so.1"
#endif

const char *apus_opencl_load(apus_opencl *table) {
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return dlerror();
#define APUS_OPENCL_LOOK_UP(name) \
  table->name = (__typeof__(name) *)dlsym(library, #name); \
  if (table->name == NULL) return dlerror();
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_LOOK_UP)
  return NULL;
}
#endif
