// Libraries that are looked for when they are first needed, so that a program builds and starts without them.
#ifndef APUS_CIMAGE_LOADER_H
#define APUS_CIMAGE_LOADER_H

#include <stdbool.h>
#include <stddef.h>

/// Why a library cannot be used, in the loader's words; empty where it can.
typedef struct {
  char text[400];
} apus_problem;

/// Opens the first of `count` names that there is and tells which one, or says of each one why not.
void *apus_open_library(const char *const names[], size_t count, size_t *found, apus_problem *problem);
/// Sets the pointer to a function at `function`; false, and says so, where the library has none of this name.
bool apus_look_up(void *library, const char *name, void *function, apus_problem *problem);

#endif
