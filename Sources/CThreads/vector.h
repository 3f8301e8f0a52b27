// How loops reach the processor's widest registers.
#ifndef APUS_VECTOR_H
#define APUS_VECTOR_H

#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif

// One version of a function for each generation of x86-64, chosen when the program starts (too early for the thread
// sanitizer, whose checks would run before it is ready). Elsewhere the compiler's baseline has the vector registers
// that there are.
#if defined(__x86_64__) && defined(__GLIBC__) && !__has_feature(thread_sanitizer)
#define APUS_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define APUS_WIDE
#endif

// Part of each version of the function that calls it.
#define APUS_PART static inline __attribute__((always_inline))

#endif
