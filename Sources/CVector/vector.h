// How loops reach the processor's widest registers.
#ifndef APUS_VECTOR_H
#define APUS_VECTOR_H

#include <stdint.h>
#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif

// One version of a function for each generation of x86-64, chosen when the program starts (too early for the thread
// sanitizer, whose checks would run before it is ready). Elsewhere the compiler's baseline has the vector registers
// that there are.
// APUS_MOST_AVX2, defined by a test build, leaves the last generation out.
#if defined(__x86_64__) && defined(__GLIBC__) && !__has_feature(thread_sanitizer)
#ifdef APUS_MOST_AVX2
#define APUS_WIDE __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define APUS_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#endif
#else
#define APUS_WIDE
#endif

// A version for 32 registers of 512 bits alone, for loops whose blocks are cut for that many. It is called where
// `apus_has_wide_registers` says so; elsewhere there is a version with smaller blocks.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(APUS_MOST_AVX2)
#define APUS_WIDEST __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define apus_has_wide_registers() \
  (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && \
   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
#endif

// Floats that are worked on together: a register of 512 bits, or two or four smaller ones.
enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef int32_t lane_bits __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

// Unrolls the loop that follows, so that arrays of registers are registers.
#define APUS_UNROLL _Pragma("clang loop unroll(full)")

// Part of each version of the function that calls it.
#define APUS_PART static inline __attribute__((always_inline))

#endif
