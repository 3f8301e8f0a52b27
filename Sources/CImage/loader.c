#include "loader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *apus_open_library(const char *const names[], size_t count, size_t *found, apus_problem *problem) {
  problem->text[0] = 0;
  for (size_t i = 0; i < count; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library) {
      problem->text[0] = 0;
      *found = i;
      return library;
    }
    const size_t length = strlen(problem->text);
    snprintf(problem->text + length, sizeof problem->text - length, "%s%s", length ? "; " : "", dlerror());
  }
  return NULL;
}

bool apus_look_up(void *library, const char *name, void *function, apus_problem *problem) {
  void *found = dlsym(library, name);
  if (found) {
    memcpy(function, &found, sizeof found);
    return true;
  }
  snprintf(problem->text, sizeof problem->text, "the library that was found has no function %s", name);
  return false;
}

void *apus_load_library(const char *const names[], size_t count, const apus_function functions[],
                        size_t function_count, apus_problem *problem) {
  size_t found;
  void *library = apus_open_library(names, count, &found, problem);
  for (size_t i = 0; library && i < function_count; i++)
    if (!apus_look_up(library, functions[i].name, functions[i].pointer, problem)) return NULL;
  return library;
}
