// What `apus benchmark` measures below Swift: the processor's peak and the process's allocations.
#ifndef APUS_C_BENCHMARK_H
#define APUS_C_BENCHMARK_H

#include <stdbool.h>
#include <stdint.h>

/// Whether this build counts allocations: only with glibc, and not under a sanitizer, which has its own allocator.
bool apus_counts_allocations(void);

/// Calls of malloc and its relatives in the whole process so far, drivers and libraries included.
uint64_t apus_allocation_count(void);

/// Those of them that the program's own code and Swift's runtime made, told by the address of the caller. What drivers,
/// oneDNN and the C library allocate for themselves is not among them.
uint64_t apus_own_allocation_count(void);

/// The same of the calling thread alone.
uint64_t apus_thread_allocation_count(void);

/// Most float32 operations a second, in GFLOP/s, that `threads` threads reach with fused multiply-adds on registers;
/// a multiply-add counts as two. Takes about a quarter of a second. 0 when the threads cannot be started.
double apus_fma_peak_gflops(int threads);

#endif
