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

/// A function of a library by its name there, and where the pointer to it goes.
typedef struct {
  const char *name;
  void *pointer;
} apus_function;

/// Opens a library and looks up all of `functions`; NULL, and says why, where either fails.
void *apus_load_library(const char *const names[], size_t count, const apus_function functions[],
                        size_t function_count, apus_problem *problem);
/// The same of arrays of known lengths.
#define APUS_LOAD(names, functions, problem) \
  apus_load_library(names, sizeof(names) / sizeof *(names), functions, sizeof(functions) / sizeof *(functions), problem)

#endif
