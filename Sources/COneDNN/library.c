#ifdef APUS_ONEDNN
// For setenv.
#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The file name holds the version of the binary interface; the newer one first.
static const char *const names[] = {
#if __APPLE__
    "libdnnl.3.dylib", "/opt/homebrew/lib/libdnnl.3.dylib", "libdnnl.2.dylib",
#else
    "libdnnl.so.3", "libdnnl.so.2",
#endif
};

apus_dnnl_library apus_dnnl;
static char version[32];
static char problem[600];

static void say(const char *format, ...) {
  const size_t length = strlen(problem);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem + length, sizeof problem - length, format, arguments);
  va_end(arguments);
}

// GNU's OpenMP reads its environment while it is loaded. By default a thread that is done spins for milliseconds:
// beside other busy programs a training step then takes many times as long as with 1000 rounds, which on a quiet
// machine are as fast.
static void shorten_active_wait(void) {
  if (getenv("OMP_WAIT_POLICY") == NULL) setenv("GOMP_SPINCOUNT", "1000", /* overwrite */ 0);
}

// Global, so that the CPU backend's own loops find this OpenMP and share its threads.
static void *opened(const char *name) {
  void *library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) say("%s%s", problem[0] ? "; " : "", dlerror());
  return library;
}

static bool look_up(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  if (found == NULL) {
    say("oneDNN %s has no function %s", version, name);
    return false;
  }
  memcpy(function, &found, sizeof found);
  return true;
}

const char *apus_onednn_wanted(void) {
  const char *name = getenv("APUS_ONEDNN");
  return name && *name ? name : NULL;
}

const char *apus_onednn_load(void) {
  shorten_active_wait();
  const char *wanted = apus_onednn_wanted();
  void *library = NULL;
  if (wanted)
    library = opened(wanted);
  else
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = opened(names[i]);
  if (library == NULL) return problem;
  problem[0] = 0;

#define LOOK_UP_IN(table, name) \
  if (!look_up(library, "dnnl_" #name, &(table).name)) return problem;
#define LOOK_UP(result, name, ...) LOOK_UP_IN(apus_dnnl, name)
#define LOOK_UP_2(result, name, ...) LOOK_UP_IN(apus_dnnl.v2, name)
#define LOOK_UP_3(result, name, ...) LOOK_UP_IN(apus_dnnl.v3, name)
  LOOK_UP(, version, )
  const dnnl_version_t *loaded = apus_dnnl.version();
  snprintf(version, sizeof version, "%d.%d.%d", loaded->major, loaded->minor, loaded->patch);
  DNNL_FUNCTIONS(LOOK_UP)
  switch (loaded->major) {
  case 2: DNNL_2_FUNCTIONS(LOOK_UP_2) break;
  case 3: DNNL_3_FUNCTIONS(LOOK_UP_3) break;
  default: say("oneDNN %s is neither version 2 nor 3", version); return problem;
  }
  apus_dnnl.is_version_3 = loaded->major == 3;
  return NULL;
}

const char *apus_onednn_version(void) { return version; }

#endif
