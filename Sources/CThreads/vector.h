// How loops reach the processor's widest registers.
#ifndef APUS_VECTOR_H
#define APUS_VECTOR_H

#include <stdlib.h>

// One version of a function for each generation of x86-64, chosen when the program starts. Elsewhere the compiler's
// baseline has the vector registers that there are.
#if defined(__x86_64__) && defined(__GLIBC__)
#define APUS_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define APUS_WIDE
#endif

// Part of each version of the function that calls it.
#define APUS_PART static inline __attribute__((always_inline))

#endif
