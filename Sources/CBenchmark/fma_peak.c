// Fused multiply-adds on registers only, in the widest vectors that the processor has, on all threads at once.
#define _POSIX_C_SOURCE 200809L
#include "CBenchmark.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { accumulators = 12, repeats = 1 << 22, rounds = 20 };

// The compiler contracts `sum * a + b` to one instruction where there is one.
// Twelve independent chains hide a latency of up to six cycles at two multiply-adds a cycle.
#define FMA_LOOP(name, attributes, bytes)                                                              \
  typedef float name##_vector __attribute__((vector_size(bytes)));                                     \
  attributes static float name(float factor, float term) {                                             \
    name##_vector a = (name##_vector){0} + factor, b = (name##_vector){0} + term, sum[accumulators];   \
    for (int i = 0; i < accumulators; i++) sum[i] = (name##_vector){0} + (float)i;                     \
    for (long n = 0; n < repeats; n++) {                                                               \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < accumulators; i++)                        \
          sum[i] = sum[i] * a + b;                                                                     \
    }                                                                                                  \
    for (int i = 1; i < accumulators; i++) sum[0] += sum[i];                                           \
    return sum[0][0];                                                                                  \
  }

#if defined(__x86_64__)
FMA_LOOP(fma_avx512, __attribute__((target("avx512f"))), 64)
FMA_LOOP(fma_avx2, __attribute__((target("avx2,fma"))), 32)
#endif
FMA_LOOP(fma_baseline, , 16)

typedef struct {
  float (*loop)(float, float);
  int lanes;
} variant;

static variant widest(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return (variant){fma_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return (variant){fma_avx2, 8};
#endif
  return (variant){fma_baseline, 4};
}

// Values that keep the sums finite and that the compiler cannot know.
static volatile float factor = 0.999f, term = 0.001f, sink;

static void *run(void *argument) {
  const variant *chosen = argument;
  sink = chosen->loop(factor, term);
  return NULL;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double apus_fma_peak_gflops(int threads) {
  if (threads < 1) return 0;
  variant chosen = widest();
  pthread_t *others = malloc((size_t)threads * sizeof *others);
  if (others == NULL) return 0;

  double best = 0;
  for (int round = 0; round < rounds; round++) {
    double start = seconds();
    int started = 0;
    while (started < threads - 1 && pthread_create(&others[started], NULL, run, &chosen) == 0) started++;
    run(&chosen);
    for (int i = 0; i < started; i++) pthread_join(others[i], NULL);
    double operations = 2.0 * accumulators * repeats * chosen.lanes * (started + 1);
    double rate = operations / (seconds() - start) * 1e-9;
    if (rate > best) best = rate;
  }
  free(others);
  return best;
}
