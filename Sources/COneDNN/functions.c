#ifdef APUS_ONEDNN
// For setenv.
#define _GNU_SOURCE
#include "functions.h"

#include <dlfcn.h>
#include <stdlib.h>

// The file name holds the version of the binary interface.
#if __APPLE__
#define LIBRARY "libdnnl." TEXT(DNNL_VERSION_MAJOR) ".dylib"
#else
#define LIBRARY "libdnnl.so." TEXT(DNNL_VERSION_MAJOR)
#endif

// GNU's OpenMP reads its environment while it is loaded. By default a thread that is done spins for milliseconds:
// beside other busy programs a training step then takes many times as long as with 1000 rounds, which on a quiet
// machine are as fast.
static void shorten_active_wait(void) {
  if (getenv("OMP_WAIT_POLICY") == NULL) setenv("GOMP_SPINCOUNT", "1000", /* overwrite */ 0);
}

const char *apus_dnnl_load(dnnl_functions *table) {
  shorten_active_wait();
  // Global, so that the CPU backend's own loops find this OpenMP and share its threads.
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) return dlerror();
#define LOOK_UP(name) \
  table->name = (__typeof__(dnnl_##name) *)dlsym(library, "dnnl_" #name); \
  if (table->name == NULL) return dlerror();
  DNNL_FUNCTIONS(LOOK_UP)
  return NULL;
}

#endif
